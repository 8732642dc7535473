"""What staff are told of the gaps."""

from datetime import date
from pathlib import Path

import pytest

from guide.answer import Composer
from guide.embedding import EncoderMissing
from guide.encoder_files import find_encoder
from guide.gaps import UNANSWERED, GapLine, GapStore
from guide.staff_gaps import gaps_text
from tests.guide.gap_sample import fill
from tests.needs import need


@pytest.fixture(autouse=True)
def encoder() -> None:
    try:
        find_encoder()
    except EncoderMissing:
        need(None, "no sentence encoder; run `make train`")


def test_groups_of_five_and_more_are_told_and_no_smaller_ones(
    composer: Composer, tmp_path: Path
) -> None:
    store = GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)
    fill(store, date.today())
    store.add(GapLine(date.today(), UNANSWERED, "a question that one person asked"))
    text = gaps_text(store, composer.library, composer.clinic)
    assert "Asked without a good answer" in text
    assert "contact" in text
    assert "one person asked" not in text
    assert "kap-guide topic new" in text


def test_without_gaps_it_says_so(composer: Composer, tmp_path: Path) -> None:
    store = GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)
    text = gaps_text(store, composer.library, composer.clinic)
    assert "No question without a good answer came 5 times" in text

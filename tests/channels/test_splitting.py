"""Long texts are cut so that nothing is lost and every part fits."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.splitting import split
from channels.telegram_texts import utf16_length

TEXTS = st.text(st.sampled_from("ab .!\n\t🆘é"), max_size=400)


@given(TEXTS, st.integers(2, 60))
@pytest.mark.parametrize("length", [len, utf16_length])
def test_every_part_fits_and_only_white_space_is_lost(length, text: str, limit: int) -> None:  # type: ignore[no-untyped-def]
    parts = split(text, limit, length)
    assert all(0 < length(part) <= limit for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("short", ["short"]),
        ("", []),
        ("First one.\n\nSecond one.", ["First one.", "Second one."]),
        ("A line here\nand another", ["A line here", "and another"]),
        ("It can. It may not.", ["It can.", "It may not."]),
        ("wordswithoutanyspaceatall", ["wordswithouta", "nyspaceatall"]),
    ],
)
def test_a_text_is_cut_at_the_best_place(text: str, parts: list[str]) -> None:
    assert split(text, 13) == parts

"""Questions that ask for the same thing stand together, by the real encoder."""

from datetime import date

import pytest

from guide.answer import Composer
from guide.embedding import SentenceEncoder
from guide.encoder_files import find_encoder
from guide.gap_groups import GapGroup, group_lines
from guide.gaps import CLARIFY, UNANSWERED, GapLine
from guide.paths import ENCODER, MODEL
from tests.guide.gap_sample import GROUPS
from tests.needs import need

TODAY = date(2026, 11, 18)


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    """The sentence encoder as training built it."""
    built = (ENCODER / "model.onnx").is_file()
    need(ENCODER if built else None, "the encoder is not built; run `make train`")
    return find_encoder()


@pytest.fixture(scope="module")
def titles(composer: Composer) -> list[str]:
    """What questions here are usually like."""
    return [topic.title for topic in composer.library.values()]


def lines(*texts: str) -> list[GapLine]:
    return [GapLine(TODAY, UNANSWERED, text) for text in texts]


def test_most_pairs_stand_as_a_person_would_put_them(
    encoder: SentenceEncoder, titles: list[str]
) -> None:
    wanted = {text: name for name, texts in GROUPS.items() for text in texts}
    groups = group_lines(lines(*wanted), encoder, titles)
    place = {text: group.id for group in groups for text in group.examples}
    pairs = [(a, b) for a in wanted for b in wanted if a < b]
    together = [(a, b) for a, b in pairs if place[a] == place[b]]
    right = [(a, b) for a, b in together if wanted[a] == wanted[b]]
    meant = [(a, b) for a, b in pairs if wanted[a] == wanted[b]]
    assert len(right) / len(together) > 0.9
    assert len(right) / len(meant) > 0.7


def test_the_same_words_are_one_example_and_every_line_counts(
    encoder: SentenceEncoder, titles: list[str]
) -> None:
    [group] = group_lines(
        lines("can my dog come?", "Can my dog come", "can my dog come??"), encoder, titles
    )
    assert len(group.lines) == 3
    assert len(group.examples) == 1


def test_the_id_stays_when_others_ask_something_else(
    encoder: SentenceEncoder, titles: list[str]
) -> None:
    [before] = group_lines(lines("can my dog come?"), encoder, titles)
    after = group_lines(
        lines("is it paid by my employer's plan?", "can my dog come?"), encoder, titles
    )
    assert before.id in {group.id for group in after}
    assert len(after) == 2


def test_offered_topics_come_most_often_first(encoder: SentenceEncoder, titles: list[str]) -> None:
    one = GapLine(TODAY, CLARIFY, "it hurts down there", None, ("nausea", "bladder"))
    two = GapLine(TODAY, "complaint", "it hurts down there", "bladder")
    [group] = group_lines([one, two], encoder, titles)
    assert group.offered == ("bladder", "nausea")


@pytest.mark.parametrize("texts", [[], [""], ["🙂", "?!", ""]])
def test_lines_without_words_make_no_group(
    encoder: SentenceEncoder, titles: list[str], texts: list[str]
) -> None:
    assert group_lines(lines(*texts), encoder, titles) == []


def test_the_encoder_is_found_in_the_model_too(
    encoder: SentenceEncoder, trained_model: object
) -> None:
    inside = find_encoder(built=ENCODER / "nowhere", model=MODEL)
    assert (inside.encode(["can my dog come?"]) == encoder.encode(["can my dog come?"])).all()


def test_a_group_knows_all_its_lines(encoder: SentenceEncoder, titles: list[str]) -> None:
    given = lines(*[text for texts in GROUPS.values() for text in texts])
    groups: list[GapGroup] = group_lines(given, encoder, titles)
    assert sorted(line.text for group in groups for line in group.lines) == sorted(
        line.text for line in given
    )
    assert [len(group.lines) for group in groups] == sorted(
        (len(group.lines) for group in groups), reverse=True
    )

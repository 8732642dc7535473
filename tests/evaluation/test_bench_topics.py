"""Growth in topics: invented questions, and a small measurement."""

from pathlib import Path

from evaluation.bench import topics
from guide.paths import ENCODER
from tests.needs import need


def test_fewer_topics_are_the_first_of_more() -> None:
    few, few_passages = topics.invented(3)
    more, more_passages = topics.invented(5)
    assert more[: len(few)] == few
    assert more_passages[:3] == few_passages
    assert len({text for text, label in more if label == "faq/topic_0004"}) == topics.EXAMPLES


def test_a_message_is_understood_with_each_number_of_topics(trained_model: Path) -> None:
    need(ENCODER if ENCODER.is_dir() else None, "the encoder is not built")
    steps: list[str] = []
    found = topics.measure([3, 6], 4, steps.append)
    assert [(row["topics"], row["messages"]) for row in found["rows"]] == [(3, 4), (6, 4)]
    assert list(found["ratios"]) == ["6 topics / 3 topics"]
    assert len(steps) == 3

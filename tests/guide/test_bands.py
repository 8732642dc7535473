"""The decision between answering, offering topics, and not knowing."""

import pytest

from guide.bands import (
    ANSWERED_OUT_OF_SCOPE,
    CLARIFY,
    UNKNOWN,
    WRONG_ANSWERS,
    Thresholds,
    decide,
    learn_thresholds,
    runners_up,
)
from guide.ranking import Ranking
from guide.ranking_training import HeldOut

THRESHOLDS = Thresholds(answer=0.5, clarify=0.1)
SURE, LIKELY, FAINT = 0.8, 0.3, 0.05


@pytest.mark.parametrize(
    ("ranking", "intent", "candidates"),
    [
        ([("faq/a", SURE), ("faq/b", LIKELY)], "faq", ["faq/a"]),
        ([("faq/a", LIKELY), ("faq/b", 0.2), ("faq/c", 0.1)], CLARIFY, ["faq/a", "faq/b", "faq/c"]),
        ([("faq/a", LIKELY), ("greet", 0.2), ("faq/b", 0.2)], CLARIFY, ["faq/a", "faq/b"]),
        ([("faq/a", LIKELY), ("faq/b", 0.01)], CLARIFY, ["faq/a"]),
        ([("faq/a", FAINT), ("faq/b", 0.04)], UNKNOWN, []),
        ([("greet", SURE), ("faq/a", LIKELY)], "greet", ["greet"]),
        ([("greet", 0.3), ("faq/a", FAINT)], "greet", ["greet"]),
        ([("greet", 0.2), ("faq/a", FAINT)], UNKNOWN, []),
        ([("out_of_scope/x", SURE), ("faq/a", FAINT)], "out_of_scope", ["out_of_scope/x"]),
        ([("out_of_scope/x", 0.2), ("faq/a", FAINT)], "out_of_scope", ["out_of_scope/x"]),
        ([("out_of_scope/x", 0.55), ("faq/a", 0.45)], CLARIFY, ["faq/a"]),
        ([("out_of_scope/x", LIKELY), ("faq/a", LIKELY)], CLARIFY, ["faq/a"]),
    ],
)
def test_decision(ranking: Ranking, intent: str, candidates: list[str]) -> None:
    decision = decide(ranking, THRESHOLDS)
    assert decision.intent == intent
    assert [label for label, _ in decision.candidates] == candidates


def test_at_most_three_topics_are_offered() -> None:
    ranking = [(f"faq/{i}", 0.3) for i in range(6)]
    assert len(decide(ranking, THRESHOLDS).candidates) == 3


def held(label: str, top: str, confidence: float) -> HeldOut:
    """A held-out example for which one label was found."""
    return HeldOut(label, True, [(top, confidence)])


def test_thresholds_keep_what_is_out_of_scope_from_being_answered() -> None:
    right = [held("faq/a", "faq/a", i / 1000) for i in range(1000)]
    stray = [held("out_of_scope/x", "faq/a", i / 1000) for i in range(1000)]
    thresholds = learn_thresholds(right + stray)
    answered = [e for e in stray if e.ranking[0][1] > thresholds.answer]
    assert len(answered) <= ANSWERED_OUT_OF_SCOPE * len(stray)
    assert 0 < thresholds.clarify < thresholds.answer < 1


def test_thresholds_keep_most_answers_right() -> None:
    sure = [held("faq/a", "faq/a", 0.9) for _ in range(80)]
    wrong = [held("faq/a", "faq/b", 0.3 + i / 1000) for i in range(80)]
    threshold = learn_thresholds(sure + wrong).answer
    answered = sum(example.ranking[0][1] >= threshold for example in sure + wrong)
    assert answered >= len(sure)
    assert (answered - len(sure)) / answered <= WRONG_ANSWERS


def test_without_a_mistake_everything_is_answered() -> None:
    assert learn_thresholds([held("faq/a", "faq/a", 0.3)]).answer <= 0.3


def test_runners_up_are_the_topics_not_much_less_likely_than_the_best() -> None:
    ranking = [("faq/a", SURE), ("greet", 0.3), ("faq/b", 0.2), ("faq/c", 0.01)]
    assert runners_up(ranking) == ["faq/b"]
    assert runners_up([]) == []

"""Decides from a ranking whether to answer, to offer topics, or to say that it is not known.

Three bands lie between two thresholds on the confidence, which are learned from held-out training
examples. What may do harm is a wrong answer from the library; a wrong greeting hardly does.
"""

from __future__ import annotations

from typing import Iterable, NamedTuple, Sequence

from guide.ranking import Ranking
from guide.ranking_training import HeldOut

LIBRARY = "faq"
OUT_OF_SCOPE = "out_of_scope"
CLARIFY = "clarify"
UNKNOWN = "nlu_fallback"

MAX_OFFERED = 3
# An offered topic is at most this many times less likely than the best one.
OFFERED_RATIO = 8
# Shares of all held-out examples at which the thresholds are set.
WRONG_ANSWERS = 0.015
ANSWERS_WITHOUT_TOPIC = 0.15
OFFERS_OUT_OF_SCOPE = 0.25


class Thresholds(NamedTuple):
    """Confidence from which a topic is answered, and from which it is offered."""

    answer: float
    clarify: float


class Decision(NamedTuple):
    """What to do with a message."""

    intent: str  # base of the best label, or CLARIFY or UNKNOWN
    confidence: float
    candidates: Ranking  # the label decided on, or the topics to offer, best first


def base(label: str) -> str:
    """Returns the intent a label belongs to: "faq" for "faq/bladder", "greet" for "greet"."""
    return label.partition("/")[0]


def decide(ranking: Ranking, thresholds: Thresholds) -> Decision:
    """Decides on a ranking, which comes best first."""
    label, confidence = ranking[0]
    topics = [entry for entry in ranking if base(entry[0]) == LIBRARY]
    likely = [entry for entry in topics if entry[1] >= thresholds.clarify]
    offered = [e for e in topics[:MAX_OFFERED] if likely and e[1] * OFFERED_RATIO >= topics[0][1]]
    if base(label) == LIBRARY and confidence >= thresholds.answer:
        return Decision(LIBRARY, confidence, [ranking[0]])
    if base(label) != LIBRARY and confidence >= max(0.5, thresholds.clarify):
        return Decision(base(label), confidence, [ranking[0]])
    if offered:
        return Decision(CLARIFY, offered[0][1], offered)
    if base(label) == OUT_OF_SCOPE:
        return Decision(OUT_OF_SCOPE, confidence, [ranking[0]])
    return Decision(UNKNOWN, confidence, [])


def learn_thresholds(held_out: Sequence[HeldOut]) -> Thresholds:
    """Sets the thresholds so that few held-out examples would be answered or offered wrongly."""
    known = [example for example in held_out if example.topic_known]
    unknown = [example for example in held_out if not example.topic_known]
    wrong = [e.ranking[0][1] for e in known if _from_library(e) and e.ranking[0][0] != e.label]
    without_topic = [e.ranking[0][1] for e in unknown if _from_library(e)]
    answer = max(
        _exceeded_by(wrong, WRONG_ANSWERS * len(known)),
        _exceeded_by(without_topic, ANSWERS_WITHOUT_TOPIC * len(unknown)),
    )
    outside = [example for example in known if base(example.label) == OUT_OF_SCOPE]
    offers = [
        max(
            (confidence for label, confidence in example.ranking if base(label) == LIBRARY),
            default=0,
        )
        for example in outside
    ]
    clarify = min(answer, max(0.1, _exceeded_by(offers, OFFERS_OUT_OF_SCOPE * len(outside))))
    return Thresholds(answer, clarify)


def _from_library(example: HeldOut) -> bool:
    return base(example.ranking[0][0]) == LIBRARY


def _exceeded_by(confidences: Iterable[float], count: float) -> float:
    """Returns the confidence that at most `count` of the given ones exceed."""
    ordered = sorted(confidences, reverse=True)
    position = int(count)
    return ordered[position] if position < len(ordered) else 0.0

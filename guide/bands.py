"""Decides from a ranking whether to answer, to offer topics, or to say that it is not known.

Two thresholds on the confidence part three bands. They are learned from held-out examples, which
are harder than what most people ask: near paraphrases of them were held out as well.
"""

from typing import Iterable, NamedTuple, Sequence

from guide.ranking import Ranking
from guide.ranking_training import HeldOut

LIBRARY = "faq"
OUT_OF_SCOPE = "out_of_scope"
CLARIFY = "clarify"
UNKNOWN = "nlu_fallback"

# Intents that answer from the library, turn a question away, or change what is remembered.
_TO_BE_SURE_OF = frozenset({LIBRARY, OUT_OF_SCOPE, "inform_country", "start_over"})

MAX_OFFERED = 3
# An offered topic is at most this many times less likely than the best one.
OFFERED_RATIO = 15
# What is not a topic wins without asking back when it is this many times likelier than any topic.
CLEAR_RATIO = 2

# Where the thresholds are set: the share of held-out out-of-scope texts that may be answered, and
# that may be offered topics, and the share of answers that may be wrong.
ANSWERED_OUT_OF_SCOPE = 0.02
OFFERED_OUT_OF_SCOPE = 0.15
WRONG_ANSWERS = 0.15


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
    intent = base(label)
    topics = [entry for entry in ranking if base(entry[0]) == LIBRARY]
    best_topic = topics[0][1] if topics else 0.0
    # Small talk taken wrongly does less harm than a topic answered wrongly.
    enough = thresholds.answer if intent in _TO_BE_SURE_OF else thresholds.answer / 2
    decided = confidence >= enough and (intent == LIBRARY or confidence >= CLEAR_RATIO * best_topic)
    if decided:
        return Decision(intent, confidence, [ranking[0]])
    if best_topic >= thresholds.clarify:
        offered = [e for e in topics[:MAX_OFFERED] if e[1] * OFFERED_RATIO >= best_topic]
        return Decision(CLARIFY, best_topic, offered)
    if intent == OUT_OF_SCOPE:
        return Decision(OUT_OF_SCOPE, confidence, [ranking[0]])
    return Decision(UNKNOWN, confidence, [])


def runners_up(ranking: Ranking) -> list[str]:
    """Returns the topics of a ranking that may be meant in place of its best label, best first."""
    best = ranking[0][1] if ranking else 0.0
    return [
        label
        for label, confidence in ranking[1:]
        if base(label) == LIBRARY and confidence * OFFERED_RATIO >= best
    ]


def learn_thresholds(held_out: Sequence[HeldOut]) -> Thresholds:
    """Sets the thresholds where few held-out examples are answered or offered topics wrongly."""
    known = [example for example in held_out if example.topic_known]
    outside = [
        max((confidence for label, confidence in e.ranking if base(label) == LIBRARY), default=0.0)
        for e in known
        if base(e.label) == OUT_OF_SCOPE
    ]
    answers = [
        (e.ranking[0][1], e.ranking[0][0] == e.label)
        for e in known
        if base(e.ranking[0][0]) == LIBRARY
    ]
    answer = max(_quantile(outside, 1 - ANSWERED_OUT_OF_SCOPE), _precise_from(answers))
    return Thresholds(answer, min(answer, _quantile(outside, 1 - OFFERED_OUT_OF_SCOPE)))


def _quantile(values: Sequence[float], share: float) -> float:
    """Returns the value that the given share of values does not exceed; 0 for no values."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)] if values else 0.0


def _precise_from(answers: Iterable[tuple[float, bool]]) -> float:
    """Returns the lowest confidence from which few enough of the answers are wrong."""
    threshold, right = 1.0, 0
    for total, (confidence, is_right) in enumerate(sorted(answers, reverse=True), start=1):
        right += is_right
        if total - right <= WRONG_ANSWERS * total:
            threshold = confidence
    return threshold

"""Reads a message within its conversation: follow-ups that lean on the current topic, and two
questions in one message. A fresh question is never bent: what is clear by itself stands.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from guide.bands import CLARIFY, LIBRARY, UNKNOWN, Decision, Thresholds, decide
from guide.ranking import Ranking

MAX_CLAUSES = 6
SHORT = 9
"""Words: a longer message has a subject of its own."""

Rank = Callable[[str], Ranking]

_QUESTION_WORD = (
    r"(?:is|are|am|was|can|could|do|does|did|will|would|should|may|might|how|what|when|where|why|"
    r"who|which|if|whats|hows)\b"
)
_BOUNDARY = re.compile(
    rf"[?!.;\n]+\s*|,?\s+(?:and|also|plus|but|or|then)\s+(?=(?:also\s+|then\s+)?{_QUESTION_WORD})"
    rf"|,\s*(?={_QUESTION_WORD})",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:that|this|those|these|them|they|the other|other one|the same|it)\b"
    r"|^(?:and|but|so|or|then|why|how come|what about|how about|what if|for how long|really)\b",
    re.IGNORECASE,
)
_POINTS_AT_IT = re.compile(r"\b(?:that|this|those|these|the other)\b|^(?:why|how come)\b", re.I)


class Reading(NamedTuple):
    """How a message was understood."""

    decision: Decision
    ranking: Ranking
    questions: Ranking
    """Two or more topics asked for at once, in the order of asking; empty otherwise."""


def clauses(text: str) -> list[str]:
    """Return the clauses of `text` that can be questions of their own."""
    parts = [part.strip(" ,") for part in _BOUNDARY.split(text)]
    return [part for part in parts if part][:MAX_CLAUSES]


def read(text: str, topic: str | None, rank: Rank, thresholds: Thresholds) -> Reading:
    """Return how `text` is understood while `topic` (a key, or None) is being talked about.

    Args:
        text: what the person typed.
        topic: key of the current topic.
        rank: ranks a text against all topics and dialogue intents.
        thresholds: of the three bands.
    """
    ranking = rank(text)
    decision = decide(ranking, thresholds)
    questions = _several(text, ranking, rank, thresholds)
    if questions:
        first = questions[0]
        return Reading(Decision(LIBRARY, first[1], [first]), ranking, questions)
    if topic and len(text.split()) <= SHORT and _POINTS_BACK.search(text):
        leaning = _leaning(text, topic, decision, rank, thresholds)
        if leaning:
            return leaning
    return Reading(decision, ranking, [])


def _several(text: str, ranking: Ranking, rank: Rank, thresholds: Thresholds) -> Ranking:
    """Return the topics of several clauses, if two or more are clear and the whole agrees."""
    parts = clauses(text)
    if len(parts) < 2:
        return []
    plausible = {label for label, _ in ranking}
    found: dict[str, float] = {}
    for part in parts:
        decision = decide(rank(part), thresholds)
        label, confidence = decision.candidates[0] if decision.candidates else ("", 0.0)
        if decision.intent == LIBRARY and label in plausible:
            found.setdefault(label, confidence)
    return list(found.items()) if len(found) >= 2 else []


def _leaning(
    text: str, topic: str, alone: Decision, rank: Rank, thresholds: Thresholds
) -> Reading | None:
    """Return the reading of a follow-up together with its topic, where that is the better one."""
    ranking = rank(f"{topic.replace('_', ' ')}: {text}")
    decision = decide(ranking, thresholds)
    unclear = alone.intent in (CLARIFY, UNKNOWN, "out_of_scope")
    if decision.intent == LIBRARY and (unclear or _POINTS_AT_IT.search(text)):
        return Reading(decision, ranking, [])
    if alone.intent == UNKNOWN and decision.intent == CLARIFY:
        return Reading(decision, ranking, [])
    return None

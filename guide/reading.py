"""Reads a message within its conversation: follow-ups that lean on the current topic, several
questions in one message, and fear that comes with a question. A fresh question is never bent: what
is clear by itself stands.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from guide.bands import CLARIFY, LIBRARY, OUT_OF_SCOPE, UNKNOWN, Decision, Thresholds, decide
from guide.ranking import Ranking

MAX_CLAUSES = 6
SHORT = 9
"""Words: a longer message has a subject of its own."""

Rank = Callable[[str], Ranking]

_OPEN = frozenset({CLARIFY, UNKNOWN, "greet", "thank", "express_fear"})
"""Where the question of one clause stands for the whole: a greeting or a story lies around it."""

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
_FEAR = r"(?:scared|afraid|terrified|frightened|petrified|nervous|freaking out|panicking)"
_AFRAID = re.compile(
    rf"^{_FEAR}\b"
    rf"|\b(?:i'?m|i am|i feel|feeling|been|me|so|really|too|bit|kinda|pretty|very|honestly)"
    rf" (?:\w+ )?{_FEAR}\b"
    r"|\b(?:it|this|that|which|idea) (?:\S+ ){0,4}(?:scares|frightens|terrifies) me\b",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(
    r"^(?:(?:and|but|so|or|ok|okay) )*(?:(?:what|how) about|what if it'?s|for|with) ", re.IGNORECASE
)
_POINTS_AT_IT = re.compile(r"\b(?:that|this|those|these|the other)\b|^(?:why|how come)\b", re.I)


class Reading(NamedTuple):
    """How a message was understood."""

    decision: Decision
    ranking: Ranking
    questions: Ranking
    """Topics that single clauses ask for, in their order; empty for a message read as a whole."""
    afraid: bool
    """Whether the person says that they are afraid: a human word comes before the information."""


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
    afraid = _AFRAID.search(text) is not None
    asked = _asked_in_clauses(text, ranking, rank, thresholds)
    if len(asked) >= 2 or (asked and _gives_way(decision, asked[0][1])):
        return Reading(Decision(LIBRARY, asked[0][1], asked[:1]), ranking, asked, afraid)
    if topic and len(text.split()) <= SHORT and _POINTS_BACK.search(text):
        leaning = _leaning(text, topic, decision, rank, thresholds)
        if leaning:
            return Reading(*leaning, [], afraid)
    return Reading(decision, ranking, [], afraid)


def _gives_way(decision: Decision, confidence: float) -> bool:
    """Return whether one clause's question, of this confidence, is a better reading than all."""
    surer = decision.intent == OUT_OF_SCOPE and confidence > decision.confidence
    return surer or decision.intent in _OPEN


def _asked_in_clauses(text: str, ranking: Ranking, rank: Rank, thresholds: Thresholds) -> Ranking:
    """Return the topics that clauses clearly ask for; a single one only if the whole allows it."""
    parts = clauses(text)
    if len(parts) < 2:
        return []
    found: dict[str, float] = {}
    for part in parts:
        if found and _POINTS_AT_IT.search(part):
            continue  # it goes on about the question before
        decision = decide(rank(part), thresholds)
        label, confidence = decision.candidates[0] if decision.candidates else ("", 0.0)
        if decision.intent == LIBRARY:
            found.setdefault(label, confidence)
    if len(found) == 1 and not found.keys() & {label for label, _ in ranking}:
        return []
    return list(found.items())


def _leaning(
    text: str, topic: str, alone: Decision, rank: Rank, thresholds: Thresholds
) -> tuple[Decision, Ranking] | None:
    """Return how a follow-up reads together with its topic, where that is the better reading."""
    subject = _WHAT_ABOUT.sub("", text).strip()
    if subject and subject != text:
        ranking = rank(f"{subject.rstrip('?')}?")  # a bare subject is as good as a question
        decision = decide(ranking, thresholds)
        if decision.intent == LIBRARY:
            return decision, ranking
    ranking = rank(f"{topic.replace('_', ' ')}: {text}")
    decision = decide(ranking, thresholds)
    unclear = alone.confidence < thresholds.answer or alone.intent in (CLARIFY, OUT_OF_SCOPE)
    points_at_it = alone.intent == LIBRARY and _POINTS_AT_IT.search(text)
    if decision.intent == LIBRARY and (unclear or points_at_it):
        return decision, ranking
    if alone.intent == UNKNOWN and decision.intent == CLARIFY:
        return decision, ranking
    return None

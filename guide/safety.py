"""Safety assessment: is a message a crisis, worth a check-in, or a request for personal advice?

Two detectors read every message, and either is enough: patterns (`guide.safety_patterns`) and a
learned head (`guide.safety_head`). A message is read whole and sentence by sentence, as typed and
with its tricks undone, and together with the turns before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from guide.folding import SENTENCE_ENDS, fold, is_plain, unleet
from guide.respelling import Respeller
from guide.safety_head import LEVELS, NONE, Matrix, Probabilities, Reading, SafetyHead, level_of
from guide.safety_patterns import MASK, Hit, PatternBook

PATTERNS_FILE = "safety_patterns.json"

# Bounds of the work on one message. Patterns read all of it; the head reads the whole message and
# the sentences with most words that matter, and embeds those of them that look worst.
MAX_SCORED = 50
MAX_EMBEDDED = 8
MAX_EMBEDDED_LETTERS = 800
_MAX_READ = 1500  # letters of the whole message; its sentences are read besides
MAX_SENTENCE = 60  # words; a longer sentence is read in pieces that overlap
_OVERLAP = 20
# Below this probability by wording, a sentence of a longer message is not worth embedding.
_WORTH_EMBEDDING = 0.05
# Turns before the message that may hold the first half of a statement, and how much of them.
RECENT_TURNS = 2
_RECENT_WORDS = 15
_MAX_CONTINUATION = 12  # words; a longer message stands on its own

# When several crisis categories are found, the most urgent reply is given.
_URGENCY = (
    "crisis/medical_emergency",
    "crisis/someone_else",
    "crisis/means",
    "crisis/suicide",
    "crisis/harm_to_others",
    "crisis/abuse",
    "crisis/self_harm",
    "crisis/after_session",
    "check_in/distress",
    "boundary/too_much",
    "boundary/medication_change",
    "boundary/combination",
    "boundary/dose",
    "boundary/alone",
    "boundary/obtaining",
    "boundary/recreational",
    "boundary/suitability",
    "boundary/diagnosis",
    "check_in/past",
    "check_in/education",
)
MODEL_DETECTOR = "model"
# Statements softened by these cues of the pattern file are blanked out for the head.
NOT_NOW = frozenset({"negation", "past", "recovered", "was"})


class Encoder(Protocol):
    """Turns texts into unit vectors of shape (n, 384)."""

    def encode(self, texts: Sequence[str]) -> Matrix: ...


@dataclass(frozen=True)
class Assessment:
    """What the safety layer makes of a message.

    `level` is crisis, check_in, boundary or none; `detectors` are "pattern:<id>" and "model";
    `score` is the head's probability of the level, or of a crisis when there is none.
    """

    level: str
    category: str | None
    detectors: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class _Piece:
    """A message or a sentence of it, and what the patterns find there."""

    text: str
    hits: list[Hit]

    @property
    def reading(self) -> Reading:
        """What the head reads of it."""
        return Reading(
            self.text[:_MAX_READ], tuple({f"{hit.pattern}:{hit.label}" for hit in self.hits})
        )


@dataclass(frozen=True)
class _Scored:
    """What the head makes of one piece of a message: level probabilities (3), embedding (384)."""

    probabilities: Probabilities
    embedding: Matrix | None


class SafetyAssessor:
    """Assesses messages.

    `encoder` may be set later; without one the head falls back on wording alone.
    """

    def __init__(
        self,
        patterns: PatternBook,
        head: SafetyHead | None = None,
        vocabulary: Sequence[str] = (),
        encoder: Encoder | None = None,
    ) -> None:
        self.patterns = patterns
        self.encoder = encoder
        self._head = head
        self._vocabulary = sorted(vocabulary)
        self._words = patterns.words
        self._respeller = Respeller(patterns.spellings, patterns.words, self._vocabulary)

    @classmethod
    def fit(
        cls,
        patterns: PatternBook,
        texts: Sequence[str],
        labels: Sequence[str],
        embeddings: Matrix,
        vocabulary: Sequence[str] = (),
    ) -> SafetyAssessor:
        """Trains the head on texts (n), labels (n) and the embeddings of the texts (n, 384).

        `vocabulary` are ordinary words, which are not taken for typing errors.
        """
        known = set(vocabulary)
        assessor = cls(patterns, None, sorted(known))
        repaired = [assessor.repair(text) for text in texts]
        readings = [assessor._read([text])[0].reading for text in repaired]
        assessor._head = SafetyHead.fit(readings, labels, embeddings)
        return assessor

    def save(self, directory: Path) -> None:
        """Writes everything the assessor needs into the directory."""
        data = {
            "patterns": {**self.patterns.data, "checked": str(self.patterns.checked)},
            "vocabulary": self._vocabulary,
        }
        (directory / PATTERNS_FILE).write_text(json.dumps(data), encoding="utf-8")
        if self._head is not None:
            self._head.save(directory)

    @classmethod
    def load(cls, directory: Path, encoder: Encoder | None = None) -> SafetyAssessor:
        """Reads an assessor from the directory."""
        path = directory / PATTERNS_FILE
        data = json.loads(path.read_text(encoding="utf-8"))
        patterns = PatternBook(data["patterns"], path)
        return cls(patterns, SafetyHead.load(directory), data["vocabulary"], encoder)

    def repair(self, text: str) -> str:
        """Returns the text folded and with its words repaired."""
        return self._respeller.repair(fold(text))

    def assess(
        self, text: str, recent: Sequence[str] = (), embedding: Matrix | None = None
    ) -> Assessment:
        """Assesses a message, given the person's messages before it, oldest first.

        `embedding` is the embedding of `text`, shape (384,), where the caller has it already.
        """
        views = self._views(text)
        pieces = self._read(views)
        whole = pieces[: len(views)]
        known = embedding if is_plain(text) and MASK not in whole[0].text else None
        scored = self._score(whole, pieces[len(views) :], known)
        found = self._combine([hit for piece in whole for hit in piece.hits], scored)
        if found.level != "crisis" and recent:
            return self._continued(views[0], recent) or found
        return found

    # Reading the text

    def _views(self, text: str) -> list[str]:
        """Returns the repaired text, and its second view where figures may stand for letters."""
        views = [self.repair(text)]
        unleeted = unleet(text, self._words)
        if unleeted is not None:
            views.append(self._respeller.repair(unleeted))
        return views

    def _read(self, views: Sequence[str]) -> list[_Piece]:
        """Returns the views as pieces, then the sentences of views that have more than one."""
        whole, parts = [], []
        for view in views:
            sentences = [
                _piece(words, self.patterns.find(words))
                for words in map(self.patterns.without_idioms, dict.fromkeys(_sentences(view)))
            ]
            text = " ".join(piece.text for piece in sentences)
            whole.append(_Piece(text, [hit for piece in sentences for hit in piece.hits]))
            parts += sentences if len(sentences) > 1 else []
        return whole + parts

    def _score(
        self, whole: Sequence[_Piece], parts: Sequence[_Piece], known: Matrix | None
    ) -> list[_Scored]:
        """Returns what the head makes of the message and of its worst-looking sentences.

        `known` is the embedding of the first piece, where the caller has it already.
        """
        if self._head is None:
            return []
        parts = sorted(parts, key=self._words_that_matter, reverse=True)[:MAX_SCORED]
        wording = self._head.wording([piece.reading for piece in [*whole, *parts]])
        if self.encoder is None and known is None:
            return [_Scored(row, None) for row in wording]
        looks = wording[len(whole) :, 0]
        worst = [parts[i] for i in np.argsort(-looks) if looks[i] >= _WORTH_EMBEDDING]
        vectors = [] if known is None else [known]
        read = list(whole[: len(vectors)])
        if self.encoder is not None:
            unread = _within_bounds([*whole[len(vectors) :], *worst])
            read += unread
            vectors += list(self.encoder.encode([piece.text for piece in unread]))
        if not read:
            return [_Scored(row, None) for row in wording]
        matrix = np.vstack(vectors)
        rows = self._head.full([piece.reading for piece in read], matrix)
        return [_Scored(row, vector) for row, vector in zip(rows, matrix, strict=True)]

    def _words_that_matter(self, piece: _Piece) -> int:
        return len(self._words.intersection(piece.text.split()))

    # Putting the findings together

    def _combine(self, hits: Sequence[Hit], scored: Sequence[_Scored]) -> Assessment:
        """Returns the most urgent of what either detector found."""
        detectors: dict[str, list[str]] = {}
        for hit in hits:
            detectors.setdefault(hit.label, []).append(f"pattern:{hit.pattern}")
        best = dict.fromkeys(LEVELS, 0.0)
        for column, level in enumerate(LEVELS):
            top = max(scored, key=lambda row: row.probabilities[column], default=None)
            if self._head is None or top is None:
                continue
            best[level] = float(top.probabilities[column])
            if best[level] < self._head.thresholds[level]:
                continue
            same_level = [label for label in detectors if level_of(label) == level]
            for label in same_level or [self._head.category(level, top.embedding)]:
                detectors.setdefault(label, []).append(MODEL_DETECTOR)
        if not detectors:
            return Assessment(NONE, None, (), best["crisis"])
        label = min(detectors, key=lambda label: _urgency(label, detectors[label]))
        level, category = label.split("/")
        return Assessment(level, category, tuple(dict.fromkeys(detectors[label])), best[level])

    # Statements split over several messages

    def _continued(self, view: str, recent: Sequence[str]) -> Assessment | None:
        """Returns a crisis that this message and the ones before it make up only together."""
        words = _without_marks(view.split())
        if not words or len(words) > _MAX_CONTINUATION:
            return None
        before: list[str] = []
        for text in recent[-RECENT_TURNS:]:
            before += _without_marks(self.repair(text).split())
        before = before[-_RECENT_WORDS:]
        across = [
            hit
            for hit in self.patterns.find(self.patterns.without_idioms([*before, *words]))
            if level_of(hit.label) == "crisis" and hit.start < len(before) < hit.end
        ]
        return self._combine(across, []) if across else None


def _piece(words: Sequence[str], hits: list[Hit]) -> _Piece:
    """Returns a sentence as the head shall read it: what is denied or past is blanked out.

    The head cannot tell "I want to" from "I do not want to" well enough. A sentence with any
    statement about now is left as it is.
    """
    text = list(words)
    if not any(level_of(hit.label) == "crisis" for hit in hits):
        for hit in hits:
            if hit.cue in NOT_NOW:
                text[hit.start : hit.end] = [MASK] * (hit.end - hit.start)
    return _Piece(" ".join(text), hits)


def _urgency(label: str, detectors: Sequence[str]) -> tuple[int, int]:
    """Returns a key that sorts the most urgent finding first.

    A check-in that the head alone suggests comes after a request for advice.
    """
    hinted = level_of(label) == "check_in" and list(detectors) == [MODEL_DETECTOR]
    return int(hinted), _URGENCY.index(label)


def _within_bounds(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Returns the pieces that may be embedded: few, and not too long together."""
    chosen: list[_Piece] = []
    letters = 0
    for piece in pieces:
        if len(chosen) < MAX_EMBEDDED and letters + len(piece.text) <= MAX_EMBEDDED_LETTERS:
            chosen.append(piece)
            letters += len(piece.text)
    return chosen


def _sentences(text: str) -> Iterator[tuple[str, ...]]:
    """Yields the sentences of a folded text without their marks; long ones in pieces."""
    sentence: list[str] = []
    for word in [*text.split(), "."]:
        if word not in SENTENCE_ENDS:
            if word[0].isalnum():
                sentence.append(word)
        elif sentence:
            for start in range(0, max(len(sentence) - _OVERLAP, 1), MAX_SENTENCE - _OVERLAP):
                yield tuple(sentence[start : start + MAX_SENTENCE])
            sentence = []


def _without_marks(words: Sequence[str]) -> list[str]:
    return [word for word in words if word[0].isalnum()]

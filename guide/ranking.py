"""Ranks the topics a text may be about, each with a calibrated confidence.

Two steps. A linear head on the sentence embedding and on hashed character n-grams proposes
candidates. Then each candidate is judged by its evidence: the head's score, the likeness to its
nearest example in meaning and in spelling, the likeness to the topic as a whole, and how far these
lie ahead of the other candidates. A logistic function of the evidence gives the probability that
the candidate is right. `guide.ranking_training` trains all this.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
Ranking = list[tuple[str, float]]

CANDIDATES = 10
# Hashing keeps the width of the character features fixed, however many topics there are.
CHARACTER_FEATURES = 1024
CHARACTER_WEIGHT = 0.7

_hasher = HashingVectorizer(
    analyzer="char_wb", ngram_range=(2, 5), n_features=CHARACTER_FEATURES, norm=None
)


@dataclass(frozen=True)
class TopicRanker:
    """A trained ranker: plain arrays, with the examples grouped by label."""

    labels: NDArray[np.str_]  # (labels,)
    bounds: Indices  # (labels + 1,): label i has the examples bounds[i] to bounds[i + 1]
    embeddings: Floats  # (examples, 384), unit rows
    characters: Floats  # (examples, CHARACTER_FEATURES), unit rows
    rarity: Floats  # (CHARACTER_FEATURES,): inverse document frequencies
    centres: Floats  # (labels, 384): mean embeddings
    head: Floats  # (384 + CHARACTER_FEATURES, labels)
    weights: Floats  # (evidence,)
    bias: Floats  # ()

    def rank(self, text: str, embedding: Floats) -> Ranking:
        """Returns the best labels, each with the probability that it is right, best first.

        `embedding` is that of the text, shape (384,).
        """
        characters = weigh(character_counts([text]), self.rarity)
        scores = join(embedding[None, :], characters) @ self.head
        candidates = best_candidates(scores)
        labels = candidates[0]
        evidence = gather_evidence(
            scores=np.take_along_axis(scores, candidates, axis=1),
            meaning=self._nearest(self.embeddings, embedding, labels)[None, :],
            spelling=self._nearest(self.characters, characters[0], labels)[None, :],
            centre=(self.centres[labels] @ embedding)[None, :],
        )
        return make_ranking(self.labels[labels], evidence[0] @ self.weights + self.bias)

    def _nearest(self, examples: Floats, vector: Floats, labels: Indices) -> Floats:
        """Returns the likeness of the vector to the nearest example of each label."""
        nearest = [
            (examples[self.bounds[label] : self.bounds[label + 1]] @ vector).max()
            for label in labels
        ]
        return np.array(nearest, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Writes the ranker as an .npz file of plain arrays."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> TopicRanker:
        """Reads a ranker that `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


def make_ranking(labels: NDArray[np.str_], log_odds: Floats) -> Ranking:
    """Sorts the labels by the log odds that each is right, and turns these into probabilities."""
    confidences = 1 / (1 + np.exp(-log_odds))
    order = np.argsort(-confidences, kind="stable")
    return [(str(labels[i]), float(confidences[i])) for i in order]


def character_counts(texts: Sequence[str]) -> Floats:
    """Returns damped, hashed counts of the texts' character n-grams, a row for each text."""
    counts = _hasher.transform(texts)
    counts.data = np.sign(counts.data) * np.log1p(np.abs(counts.data))
    return np.asarray(counts.toarray(), dtype=np.float32)


def weigh(counts: Floats, rarity: Floats) -> Floats:
    """Returns unit rows in which rare n-grams count for more."""
    weighed = counts * rarity
    lengths = np.linalg.norm(weighed, axis=1, keepdims=True)
    return np.asarray(weighed / np.maximum(lengths, 1e-9), dtype=np.float32)


def join(embeddings: Floats, characters: Floats) -> Floats:
    """Returns the input of the linear head."""
    return np.hstack([embeddings, CHARACTER_WEIGHT * characters])


def best_candidates(scores: Floats) -> Indices:
    """Returns the columns of the best scores of each row, best first."""
    return np.asarray(np.argsort(-scores, axis=1, kind="stable")[:, :CANDIDATES])


def gather_evidence(scores: Floats, meaning: Floats, spelling: Floats, centre: Floats) -> Floats:
    """Stacks what speaks for each candidate.

    Each input has a row for each text and a column for each candidate, and so has the result,
    with the pieces of evidence on its third axis.
    """
    closest = np.broadcast_to(meaning.max(axis=1, keepdims=True), meaning.shape)
    lead, nearness_lead = _lead(scores), _lead(meaning)
    return np.stack([scores, lead, meaning, nearness_lead, closest, centre, spelling], axis=2)


def _lead(values: Floats) -> Floats:
    """Returns by how much each value exceeds the best of the others in its row."""
    second, first = np.partition(values, -2, axis=1)[:, -2:].T
    best_other = np.where(values == first[:, None], second[:, None], first[:, None])
    return np.asarray(values - best_other, dtype=np.float32)

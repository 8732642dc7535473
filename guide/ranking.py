"""Ranks the topics a text may be about, each with a calibrated confidence.

Kernel ridge regression on the sentence embedding and on hashed character n-grams scores every
label. The best become candidates, and each is judged by its evidence: its score, how far that
lies ahead of the others, its likeness to the nearest examples in meaning and in spelling, and to
the label's examples as a whole. A logistic function of the evidence gives the probability that the
candidate is right if the text is a question for the library at all, a second one the probability
that it is. `guide.ranking_training` trains all this.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import HashingVectorizer

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
Ranking = list[tuple[str, float]]

CANDIDATES = 10
# Nearest examples whose likeness is averaged, so that no single odd example decides.
NEAREST = 2
# Hashing keeps the width of the character features fixed, however many topics there are.
CHARACTER_FEATURES = 1024
# The kernel: how sharply likeness in meaning falls off, and what spelling adds to it.
SHARPNESS = 2.0
SPELLING = 0.2

_hasher = HashingVectorizer(
    analyzer="char_wb", ngram_range=(2, 5), n_features=CHARACTER_FEATURES, norm=None
)


@dataclass(frozen=True)
class TopicRanker:
    """A trained ranker: plain arrays, with the examples grouped by label.

    `points` begins with the examples; after them come passages, which only the kernel knows.
    """

    labels: NDArray[np.str_]  # (labels,)
    outside: NDArray[np.bool_]  # (labels,): stands for what the library does not answer
    bounds: Indices  # (labels + 1,): label i has the examples bounds[i] to bounds[i + 1]
    mean: Floats  # (dimensions of the views,)
    whitening: Floats  # (dimensions of the views, directions)
    points: Floats  # (examples + passages, directions), whitened unit rows
    coefficients: Floats  # (labels, examples + passages)
    rarity: Floats  # (CHARACTER_FEATURES,): inverse document frequencies
    characters: Floats  # (examples, CHARACTER_FEATURES), unit rows
    character_coefficients: Floats  # (labels, CHARACTER_FEATURES)
    judgement: Floats  # weights of the evidence, then the bias
    scope: Floats  # (5,): weights of what speaks for inside and outside, then the bias

    def rank(self, text: str, embedding: Floats) -> Ranking:
        """Returns the best labels, each with the probability that it is right, best first.

        `embedding` is that of the text, both views side by side.
        """
        characters = weigh(character_counts([text]), self.rarity)[0]
        likeness = self.points @ whiten(embedding[None, :], self.mean, self.whitening)[0]
        scores = self.coefficients @ kernel(likeness.copy())
        scores += self.character_coefficients @ characters
        candidates = best_candidates(scores[None, :])
        labels = candidates[0]
        examples = [slice(self.bounds[i], self.bounds[i + 1]) for i in labels]
        evidence = gather_evidence(
            scores[None, :],
            candidates,
            self.outside,
            nearest=np.array([[mean_of_nearest(likeness[rows]) for rows in examples]]),
            centre=np.array([[likeness[rows].mean() for rows in examples]]),
            spelling=np.array([[(self.characters[rows] @ characters).max() for rows in examples]]),
        )
        confidences = judge(evidence, self.judgement)
        confidences *= own_side(scores[None, :], candidates, self.outside, self.scope)
        return make_ranking(self.labels[labels], confidences[0])

    def save(self, path: Path) -> None:
        """Writes the ranker as an .npz file of plain arrays."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> "TopicRanker":
        """Reads a ranker that `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


def whiten(embeddings: Floats, mean: Floats, whitening: Floats) -> Floats:
    """Returns unit rows in which directions that all texts share count for less."""
    return _unit_rows((embeddings - mean) @ whitening)


def character_counts(texts: Sequence[str]) -> Floats:
    """Returns damped, hashed counts of the texts' character n-grams, a row for each text."""
    counts = _hasher.transform(texts)
    counts.data = np.sign(counts.data) * np.log1p(np.abs(counts.data))
    return np.asarray(counts.toarray(), dtype=np.float32)


def weigh(counts: Floats, rarity: Floats) -> Floats:
    """Returns unit rows in which rare n-grams count for more."""
    return _unit_rows(counts * rarity)


def kernel(likeness: Floats) -> Floats:
    """Turns likeness in meaning into the kernel's values, in place."""
    likeness -= 1
    likeness *= SHARPNESS
    return np.exp(likeness, out=likeness)


def best_candidates(scores: Floats) -> Indices:
    """Returns the labels with the best scores of each row, best first."""
    return np.asarray(np.argsort(-scores, axis=1, kind="stable")[:, :CANDIDATES])


def mean_of_nearest(likeness: Floats) -> Floats:
    """Returns the mean of the highest values along the last axis."""
    count = min(NEAREST, likeness.shape[-1])
    return np.asarray(np.partition(likeness, -count, axis=-1)[..., -count:].mean(axis=-1))


def gather_evidence(
    scores: Floats,
    candidates: Indices,
    outside: NDArray[np.bool_],
    nearest: Floats,
    centre: Floats,
    spelling: Floats,
) -> Floats:
    """Stacks what speaks for each candidate: shape (texts, candidates, pieces of evidence).

    `scores` has a column for each label, the likenesses one for each candidate.
    """
    own = np.take_along_axis(scores, candidates, axis=1)
    second, first = np.partition(own, -2, axis=1)[:, -2:].T[:, :, None]
    lead = np.where(own == first, own - second, own - first)
    # How much of the text is like anything known on the candidate's side.
    known = np.where(
        outside[candidates],
        scores[:, outside].sum(axis=1, keepdims=True),
        scores[:, ~outside].sum(axis=1, keepdims=True),
    )
    pieces = [own, lead, nearest, centre, spelling, known]
    return np.asarray(np.stack(pieces, axis=2), dtype=np.float32)


def judge(evidence: Floats, weights: Floats) -> Floats:
    """Returns the probability that each candidate is right, the text being on its side."""
    return np.asarray(expit(evidence @ weights[:-1] + weights[-1]))


def own_side(
    scores: Floats, candidates: Indices, outside: NDArray[np.bool_], scope: Floats
) -> Floats:
    """Returns the probability that the text is on each candidate's side of the scope."""
    if not outside.any():
        return np.ones(candidates.shape, dtype=np.float32)
    inside = scope_evidence(scores, outside) @ scope[:-1] + scope[-1]
    return np.asarray(expit(np.where(outside[candidates], -inside[:, None], inside[:, None])))


def scope_evidence(scores: Floats, outside: NDArray[np.bool_]) -> Floats:
    """Returns the best score and the sum of the positive scores, inside and outside: (texts, 4)."""
    sides = scores[:, ~outside], scores[:, outside]
    pieces = [piece for side in sides for piece in (side.max(1), np.maximum(side, 0).sum(1))]
    return np.stack(pieces, axis=1)


def make_ranking(labels: NDArray[np.str_], confidences: Floats) -> Ranking:
    """Pairs labels with their confidences, best first."""
    order = np.argsort(-confidences, kind="stable")
    return [(str(labels[i]), float(confidences[i])) for i in order]


def _unit_rows(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.ascontiguousarray(rows / np.maximum(lengths, 1e-9), dtype=np.float32)

"""Trains a topic ranker.

The linear head is a ridge regression, for which the scores of held-out examples follow from one
fit in closed form. Every example is held out twice: in a random fold, and together with all
examples of its label. From the first the weighing of the evidence learns to tell the right topic
from its neighbours, from the second to recognise a question that no topic answers.
"""

from __future__ import annotations

from typing import Collection, NamedTuple, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from guide.ranking import (
    Floats,
    Indices,
    Ranking,
    TopicRanker,
    best_candidates,
    character_counts,
    gather_evidence,
    join,
    make_ranking,
    weigh,
)

RIDGE = 1.0
FOLDS = 5
SEED = 0
# The weighing of the evidence learns from the candidates that come into question at all.
JUDGED_CANDIDATES = 5
ROWS_AT_ONCE = 1024


class HeldOut(NamedTuple):
    """How a training example was ranked by a model that had not seen it."""

    label: str
    topic_known: bool  # False: the model had seen no example of its label
    ranking: Ranking


def train_ranker(
    texts: Sequence[str], labels: Sequence[str], embeddings: Floats, outside: Collection[str] = ()
) -> tuple[TopicRanker, list[HeldOut]]:
    """Trains a ranker; also returns how the examples were ranked when they were held out.

    `embeddings` has the shape (len(texts), 384). The labels in `outside` stand for what is out of
    scope; they are not held out as a whole, for they are no topics whose absence means anything.
    Raises ValueError when there are fewer than three labels.
    """
    names, codes = np.unique(np.array(labels, dtype=np.str_), return_inverse=True)
    if len(names) < 3:
        raise ValueError(f"a ranker needs examples of at least three labels, found {len(names)}")
    order = np.argsort(codes, kind="stable")
    head = _Head([texts[i] for i in order], codes[order], embeddings[order])
    groups = [(True, fold) for fold in head.folds()]
    groups += [(False, head.examples_of(i)) for i, name in enumerate(names) if name not in outside]
    judged = [head.judge_held_out(group) for _, group in groups]
    weights, bias = _weigh_evidence(judged)
    ranker = TopicRanker(
        labels=names,
        bounds=head.bounds,
        embeddings=head.embeddings,
        characters=head.characters,
        rarity=head.rarity,
        centres=head.sums / np.diff(head.bounds)[:, None],
        head=head.head,
        weights=weights,
        bias=bias,
    )
    held_out = [
        HeldOut(str(names[code]), known, make_ranking(names[candidates], evidence @ weights + bias))
        for (known, _), judgement in zip(groups, judged, strict=True)
        for code, candidates, evidence in zip(*judgement, strict=True)
    ]
    return ranker, held_out


class _Judgement(NamedTuple):
    """The evidence on held-out examples."""

    codes: Indices  # (examples,)
    candidates: Indices  # (examples, candidates)
    evidence: Floats  # (examples, candidates, evidence)


class _Head:
    """The linear head with what is needed to tell how it does on examples it has not seen."""

    def __init__(self, texts: Sequence[str], codes: Indices, embeddings: Floats) -> None:
        """Fits the head on examples that are sorted by their codes, which count from 0."""
        self.codes = codes
        self.bounds = np.searchsorted(codes, np.arange(codes[-1] + 2))
        self.embeddings = np.ascontiguousarray(embeddings, dtype=np.float32)
        counts = character_counts(texts)
        occurrences = np.count_nonzero(counts, axis=0)
        self.rarity = (1 + np.log((1 + len(texts)) / (1 + occurrences))).astype(np.float32)
        self.characters = weigh(counts, self.rarity)
        self.sums = np.add.reduceat(self.embeddings, self.bounds[:-1], axis=0)

        self._inputs = join(self.embeddings, self.characters)
        self._targets = np.eye(len(self.bounds) - 1, dtype=np.float32)[codes]
        # Small topics count for a little more than their examples, large ones for less.
        importance = (np.diff(self.bounds) ** -0.5)[codes]
        weighted = (self._inputs * (importance / importance.mean())[:, None]).astype(np.float32)
        penalty = RIDGE * np.eye(self._inputs.shape[1], dtype=np.float32)
        factor = cho_factor(self._inputs.T @ weighted + penalty)
        self.head = cho_solve(factor, weighted.T @ self._targets)
        self._influence = cho_solve(factor, weighted.T)  # of each example on the head

    def examples_of(self, code: int) -> Indices:
        """Returns the rows of a label's examples."""
        return np.arange(self.bounds[code], self.bounds[code + 1])

    def folds(self) -> list[Indices]:
        """Splits the examples into random parts with an equal share of every label."""
        random = np.random.default_rng(SEED)
        part = np.empty(len(self.codes), dtype=np.intp)
        for code in range(len(self.bounds) - 1):
            rows = random.permutation(self.examples_of(code))
            part[rows] = (np.arange(len(rows)) + random.integers(FOLDS)) % FOLDS
        return [rows for rows in (np.flatnonzero(part == i) for i in range(FOLDS)) if len(rows)]

    def judge_held_out(self, rows: Indices) -> _Judgement:
        """Gathers the evidence on examples as if the head had been fitted without them."""
        inputs, targets = self._inputs[rows], self._targets[rows]
        leverage = inputs @ self._influence[:, rows]
        residuals = targets - inputs @ self.head
        scores = targets - np.linalg.solve(np.eye(len(rows)) - leverage, residuals)
        sizes = np.diff(self.bounds) - np.bincount(self.codes[rows], minlength=len(self.sums))
        scores[:, sizes == 0] = -np.inf
        candidates = best_candidates(scores)[:, : np.count_nonzero(sizes)]
        sums = self.sums.copy()
        np.subtract.at(sums, self.codes[rows], self.embeddings[rows])
        centres = self.embeddings[rows] @ (sums / np.maximum(sizes, 1)[:, None]).T
        evidence = gather_evidence(
            *(
                np.take_along_axis(values, candidates, axis=1).astype(np.float32)
                for values in (
                    scores,
                    self._nearest(self.embeddings, rows),
                    self._nearest(self.characters, rows),
                    centres,
                )
            )
        )
        return _Judgement(self.codes[rows], candidates, evidence)

    def _nearest(self, vectors: Floats, rows: Indices) -> Floats:
        """Returns the likeness of each row to the nearest example of each label outside rows."""
        nearest = np.empty((len(rows), len(self.sums)), dtype=np.float32)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            likeness = vectors[rows[some]] @ vectors.T
            likeness[:, rows] = -1
            nearest[some] = np.maximum.reduceat(likeness, self.bounds[:-1], axis=1)
        return nearest


def _weigh_evidence(judged: Sequence[_Judgement]) -> tuple[Floats, Floats]:
    """Fits the logistic regression of being right on the evidence; returns weights and bias."""
    evidence: list[Floats] = []
    right: list[NDArray[np.bool_]] = []
    for codes, candidates, pieces in judged:
        evidence.append(pieces[:, :JUDGED_CANDIDATES].reshape(-1, pieces.shape[2]))
        right.append((candidates[:, :JUDGED_CANDIDATES] == codes[:, None]).ravel())
    scaler = StandardScaler()
    scaled = scaler.fit_transform(np.vstack(evidence))
    model = LogisticRegression(max_iter=1000).fit(scaled, np.concatenate(right))
    weights = model.coef_[0] / scaler.scale_
    return weights.astype(np.float32), (model.intercept_[0] - weights @ scaler.mean_).astype("f4")

"""Trains a topic ranker.

From one fit of the kernel ridge regression the scores of held-out examples follow in closed form.
Every example is held out in a random fold: from that the judgement learns to tell the right topic
from its neighbours, and the scope what the library does not answer. Where there are no examples of
that, every label is held out as a whole too, and the judgement learns it from these.
"""

from itertools import pairwise
from typing import Collection, NamedTuple, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from guide.ranking import (
    SPELLING,
    Floats,
    Indices,
    Ranking,
    TopicRanker,
    best_candidates,
    character_counts,
    gather_evidence,
    judge,
    kernel,
    make_ranking,
    mean_of_nearest,
    own_side,
    scope_evidence,
    weigh,
    whiten,
)

RIDGE = 0.05
WHITENING = 0.25  # exponent: 0 leaves the embeddings as they are, 1 gives all directions their say
SHRINKAGE = 0.3
# The directions in which embeddings differ most: more of them rank no better, and take longer.
# Which these are shows only with several times as many examples as there are directions in all.
DIRECTIONS = 384
EXAMPLES_FOR_EACH = 5
FOLDS = 5
SEED = 0
# The penalty on the judgement's weights, beside the sum of its losses.
PENALTY = 130.0
# What an example from outside the library counts, beside one from inside, in fitting the scope.
OUTSIDE_WEIGHT = 12


class Examples(NamedTuple):
    """Labelled texts with their embeddings, shape (texts, 384)."""

    texts: Sequence[str]
    labels: Sequence[str]
    embeddings: Floats


class HeldOut(NamedTuple):
    """How an example was ranked by a model that had not seen it."""

    label: str
    topic_known: bool  # False: the model had seen nothing of its label
    ranking: Ranking


class Training(NamedTuple):
    """A trained ranker, and how its examples were ranked when they were held out."""

    ranker: TopicRanker
    held_out: list[HeldOut]


def train_ranker(
    questions: Examples,
    passages: Optional[Examples] = None,
    outside: Collection[str] = (),
) -> Training:
    """Trains a ranker on questions.

    Passages are other texts about the same labels, such as answers: the kernel learns from them,
    the judgement does not. The labels in `outside` stand for what the library does not answer.
    Raises ValueError when there are fewer than three labels.
    """
    names, codes = np.unique(np.array(questions.labels, dtype=np.str_), return_inverse=True)
    if len(names) < 3:
        raise ValueError(f"a ranker needs examples of at least three labels, found {len(names)}")
    order = np.argsort(codes, kind="stable")
    texts = [questions.texts[i] for i in order]
    codes, embeddings = codes[order], questions.embeddings[order]
    if passages:
        texts += passages.texts
        codes = np.append(codes, np.searchsorted(names, passages.labels))
        embeddings = np.vstack([embeddings, passages.embeddings])
    regression = _Regression(texts, codes, embeddings, len(order))
    is_outside = np.isin(names, list(outside))

    groups = [(True, rows) for rows in regression.folds()]
    if not is_outside.any():
        groups += [(False, np.flatnonzero(codes == code)) for code in range(len(names))]
    judged = [(known, regression.hold_out(rows, is_outside)) for known, rows in groups]
    judgement = _fit_judgement([held for _, held in judged])
    scope = _fit_scope([held for known, held in judged if known], is_outside)

    held_out = []
    for known, held in judged:
        confidences = judge(held.evidence, judgement)
        confidences *= own_side(held.scores, held.candidates, is_outside, scope)
        for code, candidates, row in zip(held.codes, held.candidates, confidences, strict=True):
            held_out.append(HeldOut(str(names[code]), known, make_ranking(names[candidates], row)))
    ranker = TopicRanker(
        labels=names,
        outside=is_outside,
        bounds=regression.bounds,
        mean=regression.mean,
        whitening=regression.whitening,
        points=regression.points,
        coefficients=np.ascontiguousarray(regression.coefficients.T),
        rarity=regression.rarity,
        characters=regression.characters[: len(order)],
        character_coefficients=SPELLING * regression.coefficients.T @ regression.characters,
        judgement=judgement,
        scope=scope,
    )
    return Training(ranker, held_out)


class _Held(NamedTuple):
    """What is known about held-out questions."""

    codes: Indices  # (questions,)
    scores: Floats  # (questions, labels)
    candidates: Indices  # (questions, candidates)
    evidence: Floats  # (questions, candidates, pieces of evidence)


class _Regression:
    """The kernel ridge regression, with what tells how it does on texts it has not seen."""

    def __init__(
        self, texts: Sequence[str], codes: Indices, embeddings: Floats, questions: int
    ) -> None:
        """Fits the regression; the first texts are the questions, sorted by their codes."""
        self.codes = codes
        self.questions = questions
        self.bounds = np.searchsorted(codes[:questions], np.arange(codes[questions - 1] + 2))
        self.mean, self.whitening = _fit_whitening(embeddings[:questions])
        self.points = whiten(embeddings, self.mean, self.whitening)
        counts = character_counts(texts)
        occurrences = np.count_nonzero(counts[:questions], axis=0)
        self.rarity = (1 + np.log((1 + questions) / (1 + occurrences))).astype(np.float32)
        self.characters = weigh(counts, self.rarity)

        gram = kernel(self.points @ self.points.T)
        gram += np.float32(SPELLING) * (self.characters @ self.characters.T)
        gram[np.diag_indices_from(gram)] += np.float32(RIDGE)
        factor = cho_factor(gram, lower=True, overwrite_a=True)
        self._targets = np.eye(len(self.bounds) - 1, dtype=np.float32)[codes]
        self.coefficients = cho_solve(factor, self._targets)
        self._inverse, _ = lapack.spotri(factor[0], lower=1, overwrite_c=1)  # lower triangle only

    def folds(self) -> list[Indices]:
        """Splits the questions into random parts with an equal share of every label."""
        random = np.random.default_rng(SEED)
        part = np.empty(self.questions, dtype=np.intp)
        for start, end in pairwise(self.bounds):
            turns = (np.arange(end - start) + random.integers(FOLDS)) % FOLDS
            part[start:end] = random.permutation(turns)
        return [rows for rows in (np.flatnonzero(part == i) for i in range(FOLDS)) if len(rows)]

    def hold_out(self, rows: Indices, outside: NDArray[np.bool_]) -> _Held:
        """Returns the evidence on the questions among rows, as if none of rows had been seen."""
        block = np.tril(self._inverse[np.ix_(rows, rows)])
        block += np.tril(block, -1).T
        scores = self._targets[rows] - np.linalg.solve(block, self.coefficients[rows])
        asked = rows < self.questions
        rows, scores = rows[asked], scores[asked]
        left = np.ones(self.questions, dtype=bool)
        left[rows] = False
        sizes = np.add.reduceat(left.astype(np.intp), self.bounds[:-1])
        scores[:, sizes == 0] = 0
        candidates = best_candidates(np.where(sizes > 0, scores, -np.inf))
        candidates = candidates[:, : np.count_nonzero(sizes)]
        nearest, centre, spelling = (np.empty(candidates.shape, np.float32) for _ in range(3))
        for label in np.unique(candidates):
            examples = np.arange(self.bounds[label], self.bounds[label + 1])
            examples = examples[left[examples]]
            places = np.nonzero(candidates == label)
            asking = rows[places[0]]
            likeness = self.points[asking] @ self.points[examples].T
            nearest[places] = mean_of_nearest(likeness)
            centre[places] = likeness.mean(axis=1)
            spelling[places] = (self.characters[asking] @ self.characters[examples].T).max(axis=1)
        evidence = gather_evidence(scores, candidates, outside, nearest, centre, spelling)
        return _Held(self.codes[rows], scores, candidates, evidence)


def _fit_whitening(embeddings: Floats) -> tuple[Floats, Floats]:
    """Returns the mean, and the matrix to the main directions, with their spread evened out."""
    mean = embeddings.mean(axis=0)
    deviations = embeddings - mean
    variances, directions = np.linalg.eigh(deviations.T @ deviations / len(embeddings))
    variances = (1 - SHRINKAGE) * variances + SHRINKAGE * variances.mean()
    count, dimensions = embeddings.shape
    kept = DIRECTIONS if count >= EXAMPLES_FOR_EACH * dimensions else dimensions
    main = slice(-kept, None)  # eigh sorts by ascending variance
    matrix = directions[:, main] * variances[main] ** (-WHITENING / 2)
    return mean.astype(np.float32), matrix.astype(np.float32)


def _fit_judgement(held: Sequence[_Held]) -> Floats:
    """Fits a logistic regression of being right on the evidence; returns weights and bias.

    No piece of evidence may count against a candidate: each speaks for it by construction, and
    with few examples a free fit would find the opposite by chance.
    """
    evidence = np.vstack([h.evidence.reshape(-1, h.evidence.shape[2]) for h in held])
    right = np.concatenate([(h.candidates == h.codes[:, None]).ravel() for h in held])
    # Scaled, so that the penalty weighs on all pieces alike.
    spread = evidence.std(axis=0) + 1e-6
    scaled = evidence / spread
    penalty = PENALTY / len(evidence)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, bias = parameters[:-1], parameters[-1]
        log_odds = scaled @ weights + bias
        error = expit(log_odds) - right
        value = np.logaddexp(0, np.where(right, -log_odds, log_odds)).mean()
        gradient = scaled.T @ error / len(error) + penalty * weights
        return value + penalty / 2 * weights @ weights, np.append(gradient, error.mean())

    bounds = [(0, None)] * len(spread) + [(None, None)]
    start = np.zeros(len(spread) + 1)
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return np.append(fitted[:-1] / spread, fitted[-1]).astype(np.float32)


def _fit_scope(held: Sequence[_Held], outside: NDArray[np.bool_]) -> Floats:
    """Fits the probability of being inside the library.

    What is outside counts more: the world outside is wider than our examples of it.
    """
    if not outside.any():
        return np.zeros(5, dtype=np.float32)
    evidence = np.vstack([scope_evidence(h.scores, outside) for h in held])
    inside = ~outside[np.concatenate([h.codes for h in held])]
    weight = {True: 1.0, False: OUTSIDE_WEIGHT * inside.sum() / (~inside).sum()}
    model = LogisticRegression(class_weight=weight).fit(evidence, inside)
    return np.append(model.coef_[0], model.intercept_).astype(np.float32)

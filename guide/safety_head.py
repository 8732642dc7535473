"""The learned half of the safety layer: embedding, wording and pattern hits, nearest example.

scikit-learn fits them; what they learned is kept as plain arrays, because its vectorisers and
estimators cost more for one short text than everything else in a turn.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

LEVELS = ("crisis", "check_in", "boundary")
NONE = "none"

ARRAYS_FILE = "safety_head.npz"
TERMS_FILE = "safety_head.json"

Matrix = NDArray[np.float32]
Probabilities = NDArray[np.float64]

# Share of the training examples of other levels that may pass a level's threshold, by
# cross-validation. The look-alikes among them are harder than what people send.
FALSE_ALARMS = {"crisis": 0.006, "check_in": 0.008, "boundary": 0.007}
_FOLDS = 3
_C = 3.0
# Meaning is not linear in the embedding ("I want to die" and "I don't want to die" are close), so
# the embedding is seen through a Gaussian kernel of this width.
_GAMMA = 2.0
_LANDMARKS = 600
_MEANING_WEIGHT = 4.0

# A text this close to a crisis example, and closer to it than to any example that is none, is a
# crisis too; the cosine similarity is then its probability.
_NEAR = 0.8
# Only the examples that come this close to a crisis example are kept to compare with.
_LOOKS_ALIKE = 0.7

_USUAL_CATEGORY = {
    "crisis": "crisis/suicide",
    "check_in": "check_in/distress",
    "boundary": "boundary/dose",
}


def level_of(label: str) -> str:
    """Returns the level of a label: "crisis" for "crisis/means", "none" for any topic."""
    level = label.split("/")[0]
    return level if level in LEVELS else NONE


@dataclass(frozen=True)
class Reading:
    """What the head reads of a text: the repaired words, and the names of the pattern hits."""

    text: str
    hits: tuple[str, ...] = ()


def _word_terms(reading: Reading) -> Iterator[str]:
    """Yields runs of one to three words."""
    words = reading.text.split()
    for length in (1, 2, 3):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _letter_terms(reading: Reading) -> Iterator[str]:
    """Yields runs of two to four letters within each word, its ends marked by spaces."""
    for word in reading.text.split():
        padded = f" {word} "
        for length in (2, 3, 4):
            for start in range(len(padded) - length + 1):
                yield padded[start : start + length]


def _hit_terms(reading: Reading) -> Iterator[str]:
    yield from reading.hits


@dataclass(frozen=True)
class _Block:
    """A kind of term, how it is weighed, and which terms are known: term -> column."""

    terms: Callable[[Reading], Iterator[str]]
    weighed: bool
    columns: dict[str, int]
    idf: NDArray[np.float64]

    def see(self, reading: Reading) -> tuple[list[int], NDArray[np.float64]]:
        """Returns the columns of the known terms of a text and their values."""
        counts = Counter(term for term in self.terms(reading) if term in self.columns)
        columns = [self.columns[term] for term in counts]
        if not self.weighed:
            return columns, np.ones(len(columns))
        values = (1.0 + np.log(np.fromiter(counts.values(), float))) * self.idf[columns]
        return columns, values / (np.linalg.norm(values) or 1.0)


_KINDS: dict[str, tuple[Callable[[Reading], Iterator[str]], bool, int]] = {
    # kind: its terms, whether rare terms weigh more, how many texts a term must occur in
    "words": (_word_terms, True, 2),
    "letters": (_letter_terms, True, 3),
    "hits": (_hit_terms, False, 1),
}
_WORDING = ("words", "letters")


class SafetyHead:
    """One detector for each level, and a classifier for the category within it.

    Two sets of detectors are kept: `wording` sees words and letters only, costs little, and
    chooses the sentences of a long message that are worth embedding; `full` sees everything.
    """

    def __init__(
        self,
        columns: dict[str, dict[str, int]],
        categories: dict[str, list[str]],
        thresholds: dict[str, float],
        arrays: dict[str, NDArray[Any]],
    ) -> None:
        """Takes apart what `save` writes; `fit` and `load` are the ways to make a head."""
        self.thresholds = thresholds
        self._columns = columns
        self._categories = categories
        self._arrays = arrays
        self._blocks = {
            kind: _Block(terms, weighed, columns[kind], arrays[f"{kind}_idf"])
            for kind, (terms, weighed, _) in _KINDS.items()
        }

    @classmethod
    def fit(
        cls, readings: Sequence[Reading], labels: Sequence[str], embeddings: Matrix
    ) -> SafetyHead:
        """Learns from readings (n), labels (n) and embeddings (n, 384) of the same texts.

        The thresholds come from cross-validation on the same examples.
        """
        thresholds = _choose_thresholds(readings, labels, embeddings)
        return _fit(readings, labels, embeddings, thresholds)

    def wording(self, readings: Sequence[Reading]) -> Probabilities:
        """Returns the probability of each level by wording alone, shape (n, 3)."""
        return _sigmoid(np.array([self._sum(r, _WORDING, "wording") for r in readings]))

    def full(self, readings: Sequence[Reading], embeddings: Matrix) -> Probabilities:
        """Returns the probability of each level, shape (n, 3)."""
        terms = np.array([self._sum(r, tuple(_KINDS), "full") for r in readings])
        landmarks = self._arrays["landmarks"]
        # Unit vectors: their squared distance is 2 - 2 times their dot product.
        kernel = np.exp(-_GAMMA * (2.0 - 2.0 * embeddings @ landmarks.T))
        probabilities = _sigmoid(terms + kernel @ self._arrays["meaning_full"])
        crisis = LEVELS.index("crisis")
        probabilities[:, crisis] = np.maximum(probabilities[:, crisis], self._nearness(embeddings))
        return probabilities

    def _nearness(self, embeddings: Matrix) -> Probabilities:
        """Returns the similarity to the nearest crisis example where it counts, else 0."""
        near = (embeddings @ self._arrays["crisis_examples"].T).max(axis=1)
        other = (embeddings @ self._arrays["look_alikes"].T).max(axis=1, initial=-1.0)
        return np.where((near >= _NEAR) & (near > other), near, 0.0)

    def category(self, level: str, embedding: Matrix | None) -> str:
        """Returns the likeliest category of a text at that level, such as "crisis/means"."""
        if embedding is None:
            return _USUAL_CATEGORY[level]
        weights, offsets = self._arrays[f"{level}_weights"], self._arrays[f"{level}_offsets"]
        return self._categories[level][int(np.argmax(weights @ embedding + offsets))]

    def _sum(self, reading: Reading, kinds: Sequence[str], detectors: str) -> Probabilities:
        """Returns the evidence of the terms for each level, shape (3,)."""
        total = self._arrays[f"{detectors}_offsets"]
        for kind in kinds:
            columns, values = self._blocks[kind].see(reading)
            if columns:
                total = total + values @ self._arrays[f"{kind}_{detectors}"][columns]
        return np.asarray(total, dtype=np.float64)

    def save(self, directory: Path) -> None:
        """Writes the head into the directory."""
        np.savez(directory / ARRAYS_FILE, **self._arrays)
        names = {
            "columns": {kind: list(columns) for kind, columns in self._columns.items()},
            "categories": self._categories,
            "thresholds": self.thresholds,
        }
        (directory / TERMS_FILE).write_text(json.dumps(names), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> SafetyHead:
        """Reads the head from the directory."""
        names = json.loads((directory / TERMS_FILE).read_text(encoding="utf-8"))
        columns = {
            kind: {term: column for column, term in enumerate(terms)}
            for kind, terms in names["columns"].items()
        }
        with np.load(directory / ARRAYS_FILE, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return cls(columns, names["categories"], names["thresholds"], arrays)


def _fit(
    readings: Sequence[Reading],
    labels: Sequence[str],
    embeddings: Matrix,
    thresholds: dict[str, float],
) -> SafetyHead:
    """Fits the detectors with scikit-learn and takes their weights."""
    columns: dict[str, dict[str, int]] = {}
    arrays: dict[str, NDArray[Any]] = {}
    features: dict[str, sparse.csr_matrix] = {}
    for kind, (terms, weighed, least) in _KINDS.items():
        vectorizer = TfidfVectorizer(
            analyzer=terms,
            min_df=least,
            sublinear_tf=True,
            use_idf=weighed,
            norm="l2" if weighed else None,
        )
        features[kind] = vectorizer.fit_transform(readings)
        known = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
        columns[kind] = {term: column for column, term in enumerate(known)}
        arrays[f"{kind}_idf"] = vectorizer.idf_ if weighed else np.ones(len(known))
    kernel = Nystroem(gamma=_GAMMA, n_components=min(_LANDMARKS, len(readings)), random_state=0)
    meaning = sparse.csr_matrix(_MEANING_WEIGHT * kernel.fit_transform(embeddings))
    arrays["landmarks"] = kernel.components_.astype(np.float32)

    levels = np.array([level_of(label) for label in labels])
    for detectors, kinds in (("wording", _WORDING), ("full", tuple(_KINDS))):
        seen = [features[kind] for kind in kinds]
        if detectors == "full":
            seen.append(meaning)
        fitted = [_detector(sparse.hstack(seen, format="csr"), levels == one) for one in LEVELS]
        weights = np.vstack([model.coef_[0] for model in fitted]).T
        arrays[f"{detectors}_offsets"] = np.array([model.intercept_[0] for model in fitted])
        start = 0
        for kind in kinds:
            arrays[f"{kind}_{detectors}"] = weights[start : start + len(columns[kind])]
            start += len(columns[kind])
        if detectors == "full":
            arrays["meaning_full"] = kernel.normalization_.T @ weights[start:] * _MEANING_WEIGHT

    arrays["crisis_examples"] = embeddings[levels == "crisis"]
    others = embeddings[levels != "crisis"]
    nearest = (others @ arrays["crisis_examples"].T).max(axis=1)
    arrays["look_alikes"] = others[nearest >= _LOOKS_ALIKE]

    categories: dict[str, list[str]] = {}
    for level in LEVELS:
        of_level = levels == level
        model = LogisticRegression(C=_C, class_weight="balanced", max_iter=500, multi_class="ovr")
        model.fit(embeddings[of_level], np.array(labels)[of_level])
        categories[level] = [str(label) for label in model.classes_]
        arrays[f"{level}_weights"], arrays[f"{level}_offsets"] = model.coef_, model.intercept_
    return SafetyHead(columns, categories, thresholds, arrays)


def _detector(features: sparse.csr_matrix, wanted: NDArray[np.bool_]) -> LogisticRegression:
    return LogisticRegression(C=_C, solver="liblinear", tol=1e-2, random_state=0).fit(
        features, wanted
    )


def _choose_thresholds(
    readings: Sequence[Reading], labels: Sequence[str], embeddings: Matrix
) -> dict[str, float]:
    """Returns for each level the lowest threshold that few examples of other levels pass."""
    levels = np.array([level_of(label) for label in labels])
    scores = np.zeros((len(readings), len(LEVELS)))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(embeddings, levels):
        head = _fit([readings[i] for i in train], [labels[i] for i in train], embeddings[train], {})
        scores[test] = head.full([readings[i] for i in test], embeddings[test])
    return {
        level: float(np.quantile(scores[levels != level, column], 1 - FALSE_ALARMS[level]))
        for column, level in enumerate(LEVELS)
    }


def _sigmoid(values: Probabilities) -> Probabilities:
    return np.asarray(1.0 / (1.0 + np.exp(-values)))

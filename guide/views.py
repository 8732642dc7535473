"""Two views of a text for ranking: the whole, and what is left without the words labels share.

Words that most topics have in common (the drug, the treatment, the illness) fill much of a short
question's embedding and say nothing about which topic is meant; what is left of the question does.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from spacy.lang.en.stop_words import STOP_WORDS

Floats = NDArray[np.float32]

# A word is shared when at least this part of the labels has it among its examples.
SHARED_BY = 0.5
# Less than this many words is no question any more; such a text is left whole.
MIN_WORDS = 2

_WORD = re.compile(r"[a-z']+")


class Encoder(Protocol):
    """Turns texts into unit vectors, shape (texts, dimensions)."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Returns the embeddings."""


def find_shared_words(texts: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Returns the content words that at least half of the labels share, in alphabetical order.

    Function words stay out of it: "how", "long" and "why" make the question.
    """
    labels_with = defaultdict(set)
    for text, label in zip(texts, labels, strict=True):
        for word in _WORD.findall(text.lower()):
            labels_with[word].add(label)
    enough = SHARED_BY * len(set(labels))
    return sorted(
        w for w, found in labels_with.items() if len(found) >= enough and w not in STOP_WORDS
    )


class Views:
    """Encodes texts in both views."""

    def __init__(self, encoder: Encoder, shared_words: Iterable[str]) -> None:
        """Takes the encoder of both views and the words that the second one leaves out."""
        self._encoder = encoder
        self._shared: Collection[str] = frozenset(shared_words)

    def rest(self, text: str) -> str:
        """Returns the text without the shared words, or whole if next to nothing were left."""
        kept = [w for w in text.split() if "".join(_WORD.findall(w.lower())) not in self._shared]
        return " ".join(kept) if len(kept) >= MIN_WORDS else text

    def encode(self, texts: Sequence[str], whole: Floats | None = None) -> Floats:
        """Returns both embeddings of each text side by side, as unit rows (texts, 2 x dimensions).

        `whole` are the embeddings of the texts where the caller has them already.
        """
        whole = self._encoder.encode(texts) if whole is None else whole
        rests = [self.rest(text) for text in texts]
        shorter = [row for row, text in enumerate(texts) if rests[row] != text]
        # Where nothing is left out, both views are the same.
        rest = whole.copy()
        if shorter:
            rest[shorter] = self._encoder.encode([rests[row] for row in shorter])
        return np.asarray(np.hstack([whole, rest]) * np.sqrt(0.5), dtype=np.float32)

"""Word repair: a word typed to slip past a filter, or mistyped, becomes the word that is meant.

Works on folded text (see `guide.folding`) and needs to know words: the ones that matter to the
safety patterns, which a repair may produce, and ordinary ones, which are left alone.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

# Shorter words have too many neighbours for a repair to be certain.
_MIN_TYPO = 5
_MIN_RUN_TOGETHER = 7
_MAX_WORD = 40
_SINGLE_LETTER_WORDS = frozenset({"i", "a"})
_DOUBLED = re.compile(r"(.)\1")


def ordinary_words(tokenizer: Path) -> list[str]:
    """Returns the whole words that the sentence encoder's tokenizer file knows: common English."""
    vocabulary = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["vocab"]
    return [word for word in vocabulary if word.isalpha()]


class Respeller:
    """Repairs folded text word by word.

    `spellings` maps a folded word to plain words ("unalive": "kill"); `words` are the words a
    repair may lead to; `vocabulary` are further words that are right as they are.
    """

    def __init__(
        self,
        spellings: Mapping[str, str],
        words: Collection[str],
        vocabulary: Collection[str] = (),
    ) -> None:
        self._spellings = dict(spellings)
        self._words = frozenset(words)
        self._known = self._words | frozenset(vocabulary)
        self._neighbours: dict[str, set[str]] = defaultdict(set)
        for word in self._words:
            if len(word) >= _MIN_TYPO:
                for shorter in _shortened(word):
                    self._neighbours[shorter].add(word)
        self._respell = lru_cache(maxsize=4096)(self._respell_word)

    def repair(self, folded: str) -> str:
        """Returns the folded text with its words repaired."""
        return " ".join(self._respell(word) for word in folded.split())

    def _respell_word(self, word: str) -> str:
        if word in self._spellings:
            return self._spellings[word]
        if word in self._known or len(word) > _MAX_WORD or len(word) == 1:
            return word
        if not word.isalnum():
            return self._without_signs(word)
        single = _DOUBLED.sub(r"\1", word)
        if single in self._spellings:
            return self._spellings[single]
        if single in self._words:
            return single
        return self._split(word) or self._nearest(word) or word

    def _without_signs(self, word: str) -> str:
        """Repairs k*ll, s**cide, sui-cide; a hyphen between two other words parts them."""
        bare = re.sub(r"[\W_]", "", word)
        if bare in self._spellings or bare in self._words:
            return self._respell(bare)
        if "*" in word or "#" in word:
            shape = re.compile(re.sub(r"[*#]", r"\\w", re.sub(r"[^\w*#]", "", word)))
            meant = sorted(known for known in self._words if shape.fullmatch(known))
            if meant:
                return meant[0]
        return " ".join(self._respell(part) for part in re.split(r"[\W_]+", word) if part)

    def _split(self, word: str) -> str | None:
        """Splits words that were run together, "killmyself"; None when they are not all known."""
        if len(word) < _MIN_RUN_TOGETHER:
            return None
        # best[n]: the fewest words that make up the first n letters.
        best: list[list[str] | None] = [[], *[None] * len(word)]
        for end in range(1, len(word) + 1):
            for start in range(end):
                before, part = best[start], word[start:end]
                if before is None or not (
                    part in self._words if len(part) > 1 else part in _SINGLE_LETTER_WORDS
                ):
                    continue
                if best[end] is None or len(before) + 1 < len(best[end] or ()):
                    best[end] = [*before, part]
        found = best[len(word)]
        return " ".join(found) if found else None

    def _nearest(self, word: str) -> str | None:
        """Returns the known word one typing error away that starts with the same letter."""
        if len(word) < _MIN_TYPO or not word.isalpha():
            return None
        candidates = {
            known
            for shorter in _shortened(word)
            for known in self._neighbours.get(shorter, ())
            if known[0] == word[0] and _one_error_apart(word, known)
        }
        return min(candidates) if candidates else None


def _shortened(word: str) -> Iterator[str]:
    """Yields the word and every form of it that lacks one letter."""
    yield word
    for index in range(len(word)):
        yield word[:index] + word[index + 1 :]


def _one_error_apart(left: str, right: str) -> bool:
    """True when one letter was added, left out, changed, or swapped with its neighbour."""
    if len(left) > len(right):
        left, right = right, left
    pairs = enumerate(zip(left, right, strict=False))
    start = next((i for i, (a, b) in pairs if a != b), len(left))
    if len(left) < len(right):
        return left[start:] == right[start + 1 :]
    if left[start + 1 :] == right[start + 1 :]:
        return True
    swapped = left[:start] + left[start : start + 2][::-1] + left[start + 2 :]
    return swapped == right

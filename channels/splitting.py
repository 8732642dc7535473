"""Cutting a text that is longer than a message may be, at the best place there is."""

import re
from collections.abc import Callable
from typing import List

# Where a text is cut, best first: between paragraphs, lines, sentences, words.
_JOINTS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?])\s"),
    re.compile(r"\s"),
)


def split(text: str, limit: int, length: Callable[[str], int] = len) -> List[str]:
    """Return `text` in parts of at most `limit` each; only white space where it is cut is lost.

    Args:
        text: what to cut.
        limit: how long a part may be, at least 2.
        length: how a service counts; must not shrink when a text grows.
    """
    parts = []
    rest = text.strip()
    while length(rest) > limit:
        fitting = _fitting(rest, limit, length)
        end = _best_end(rest, fitting)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest] if rest else parts


def _fitting(text: str, limit: int, length: Callable[[str], int]) -> int:
    """Return how many characters from the start fit into `limit`."""
    low, high = 1, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if length(text[:middle]) <= limit else (low, middle - 1)
    return low


def _best_end(text: str, fitting: int) -> int:
    """Return where to cut: at the best joint of the later half, else at the last one at all."""
    # One character more: a joint right behind what fits is a good place too.
    window = text[: fitting + 1]
    for earliest in (fitting // 2, 0):
        for joint in _JOINTS:
            ends = [match.start() for match in joint.finditer(window)]
            ends = [end for end in ends if earliest < end <= fitting]
            if ends:
                return ends[-1]
    return fitting

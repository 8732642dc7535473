"""Gap lines that ask for the same thing, put together by the meaning of their words."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from guide.folding import fold
from guide.gaps import GapLine

MAX_DISTANCE = 0.7
"""Mean cosine distance within which two sets of questions are one group; see docs/gaps.md."""

MAX_WORDINGS = 2000
"""Of more different wordings the latest are grouped: the work grows with their square."""

_WORD = re.compile(r"\w+")


class Encoder(Protocol):
    """What turns texts into unit vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings, shape (len(texts), dimension)."""


@dataclass(frozen=True)
class GapGroup:
    """Lines that ask for the same thing.

    Attributes:
        id: six signs that stay the same as long as the most typical question does.
        lines: all lines of the group.
        examples: its different wordings, the most typical first.
        offered: the topics offered or told instead, most often first.
    """

    id: str
    lines: tuple[GapLine, ...]
    examples: tuple[str, ...]
    offered: tuple[str, ...]


def group_lines(lines: Iterable[GapLine], encoder: Encoder, usual: Sequence[str]) -> list[GapGroup]:
    """Return the groups, largest first; lines without words belong to none.

    Args:
        lines: what is grouped.
        encoder: embeds the texts.
        usual: questions as they are usual here. What they have in common, such as speaking of
            ketamine and sessions, makes no two lines similar.
    """
    by_wording: dict[str, list[GapLine]] = defaultdict(list)
    for line in lines:
        words = wording(line.text)
        if words:
            by_wording[words].append(line)
    wordings = list(by_wording)[-MAX_WORDINGS:]
    if not wordings:
        return []
    texts = [by_wording[words][0].text for words in wordings]
    vectors = encoder.encode(texts) - encoder.encode(usual).mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    members = defaultdict(list)
    for place, label in enumerate(_labels(vectors)):
        members[label].append(place)
    groups = []
    for places in members.values():
        # The most typical wording is the one nearest to all of them.
        typical = vectors[places] @ vectors[places].sum(axis=0)
        places = [places[index] for index in np.argsort(-typical, kind="stable")]
        kept = [line for place in places for line in by_wording[wordings[place]]]
        near = Counter(topic for line in kept for topic in _near(line))
        groups.append(
            GapGroup(
                id=hashlib.sha256(wordings[places[0]].encode()).hexdigest()[:6],
                lines=tuple(kept),
                examples=tuple(texts[place] for place in places),
                offered=tuple(topic for topic, _ in near.most_common(3)),
            )
        )
    return sorted(groups, key=lambda group: -len(group.lines))


def wording(text: str) -> str:
    """Return the words of a text, the same however they are typed."""
    return " ".join(_WORD.findall(fold(text)))


def _labels(vectors: NDArray[np.float32]) -> list[int]:
    """Return the number of the group of each row."""
    if len(vectors) == 1:
        return [0]
    # Slow to import, and the command has other things to do than reports.
    from sklearn.cluster import AgglomerativeClustering

    clustering = AgglomerativeClustering(
        n_clusters=None, affinity="cosine", linkage="average", distance_threshold=MAX_DISTANCE
    )
    return [int(label) for label in clustering.fit_predict(vectors)]


def _near(line: GapLine) -> tuple[str, ...]:
    return (line.topic,) if line.topic else line.offered

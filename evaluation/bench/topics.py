"""What understanding one message costs as topics grow, on topics made of invented words.

Encoder and safety are those of the shipped model, the ranking is trained by the code that trains
it; all run in this process. Small talk and the like come from data/dialogue, as they would.
"""

import random
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.bench.timing import latency, ratio_of_medians
from evaluation.safety import training_examples
from guide.embedding import SentenceEncoder
from guide.paths import DATA, ENCODER, MODEL
from guide.ranking import Ranking
from guide.reading import read
from guide.safety import PATTERNS_FILE, SafetyAssessor
from guide.topic_training import GATE_INTENTS, TrainedTopics, train_topics
from guide.views import Views

EXAMPLES = 25
"""Of each topic."""
WORDS = 8
"""Invented words of each topic."""
SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in ("a", "e", "i", "o", "u", "ai", "or", "un")]
FRAMES = (
    "what is {a}",
    "how does {a} work with {b}",
    "can {a} harm my {b}",
    "is {a} safe after {b}",
    "how long does {a} last",
    "do i need {a} before {b}",
    "why would {a} {b} hurt",
    "{a} {b}?",
    "tell me about {a} and {b}",
    "my {c} gets {a} when i {b}, is that normal",
    "how much {a} for {b}",
    "should i stop {a} because of {c} {b}",
)

Floats = NDArray[np.float32]
Examples = list[tuple[str, str]]
"""Texts with their labels."""


class _Remembering:
    """An encoder that remembers: smaller numbers of topics are part of the larger ones."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Floats] = {}

    def encode(self, texts: Sequence[str]) -> Floats:
        for text in texts:
            if text not in self._known:
                self._known[text] = self._encoder.encode([text])[0]
        return np.array([self._known[text] for text in texts], dtype=np.float32)


def measure(sizes: Sequence[int], rounds: int, step: Callable[[str], None]) -> dict[str, Any]:
    """Train on so many topics each, then understand unseen questions with each, in alternation.

    `step` is told what is being done. Returns `rows`, one a number of topics, with the seconds that
    training took (embeddings of smaller numbers are known already), and `ratios` to the smallest.
    """
    encoder = SentenceEncoder(ENCODER)
    remembering = _Remembering(encoder)
    dialogue = [
        (text, label)
        for text, label in zip(*training_examples(DATA / "dialogue"), strict=True)
        if label.split("/")[0] not in GATE_INTENTS
    ]
    trained: dict[int, TrainedTopics] = {}
    seconds: dict[int, float] = {}
    for size in sizes:
        step(f"training on {size} topics")
        questions, passages = invented(size)
        began = time.monotonic()
        trained[size] = train_topics([*questions, *dialogue], passages, remembering)
        seconds[size] = round(time.monotonic() - began, 1)
    assessor = _shipped_assessor()
    assessor.encoder = encoder

    def understand(topics: TrainedTopics, text: str) -> None:
        views = Views(encoder, topics.shared_words)
        whole = encoder.encode([text])

        def rank(part: str) -> Ranking:
            known = whole if part == text else None
            return topics.ranker.rank(part, views.encode([part], known)[0])

        read(text, None, rank, topics.thresholds)
        assessor.assess(text, (), whole[0])

    step("understanding")
    times: dict[int, list[float]] = {size: [] for size in sizes}
    order = random.Random(1)  # noqa: S311 (an order of turns)
    unseen = _questions(random.Random(2), _vocabulary(random.Random(0), min(sizes)))  # noqa: S311
    for _ in range(rounds):
        text = next(unseen)
        for size in order.sample(list(sizes), len(sizes)):
            began = time.perf_counter()
            understand(trained[size], text)
            times[size].append((time.perf_counter() - began) * 1000)
    rows = [
        {"topics": size, "training_seconds": seconds[size], **latency(found)._asdict()}
        for size, found in times.items()
    ]
    first, *others = sizes
    ratios = {
        f"{size} topics / {first} topics": ratio_of_medians(times[size], times[first])._asdict()
        for size in others
    }
    return {"rows": rows, "ratios": ratios}


def invented(topics: int) -> tuple[Examples, Examples]:
    """Return questions and passages of so many topics; fewer topics are the first of more."""
    questions: Examples = []
    passages: Examples = []
    for number, words in enumerate(_vocabulary(random.Random(0), topics)):  # noqa: S311
        chance = random.Random(number)  # noqa: S311 (a choice of words)
        label = f"faq/topic_{number:04}"
        asked = _questions(chance, [words])
        texts: dict[str, None] = {}
        while len(texts) < EXAMPLES:
            texts[next(asked)] = None
        questions += [(text, label) for text in texts]
        passages.append((" ".join(chance.choices(words, k=30)), label))
    return questions, passages


def _shipped_assessor() -> SafetyAssessor:
    """Return the safety assessor of the trained model."""
    with tarfile.open(MODEL) as archive, TemporaryDirectory() as folder:
        names = archive.getnames()
        (place,) = (Path(name).parent for name in names if Path(name).name == PATTERNS_FILE)
        members = [m for m in archive.getmembers() if Path(m.name).parent == place]
        archive.extractall(folder, members)  # noqa: S202 (our own model)
        return SafetyAssessor.load(Path(folder) / place)


def _vocabulary(chance: random.Random, topics: int) -> list[list[str]]:
    return [
        ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(WORDS)]
        for _ in range(topics)
    ]


def _questions(chance: random.Random, topics: Sequence[Sequence[str]]) -> Iterator[str]:
    while True:
        a, b, c = chance.sample(chance.choice(topics), 3)
        yield chance.choice(FRAMES).format(a=a, b=b, c=c)

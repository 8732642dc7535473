"""Cross-validation on the project's own examples, by the code that trains the model.

The examples are written to cover the border cases of each topic, so they are harder than what most
people ask; they show which topics take questions from each other, and how far a confidence can be
believed.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from evaluation.safety import training_examples
from evaluation.selective import Outcomes
from guide.bands import LIBRARY, Thresholds, base
from guide.embedding import SentenceEncoder
from guide.paths import CONTENT, ENCODER, FAQ
from guide.ranking_training import HeldOut
from guide.topic_training import GATE_INTENTS, train_topics
from guide.topics import TopicLibrary


class Study(NamedTuple):
    """What became of every example when it was held out in a random fold."""

    held_out: list[HeldOut]
    thresholds: Thresholds

    def outcomes(self) -> Outcomes:
        """Return confidence in the best topic, whether it is right, and what is in scope."""
        confidence, right = [], []
        for example in self.held_out:
            topics = [entry for entry in example.ranking if base(entry[0]) == LIBRARY]
            label, sure = topics[0] if topics else ("", 0.0)
            confidence.append(sure)
            right.append(label == example.label)
        in_scope = [base(example.label) == LIBRARY for example in self.held_out]
        return Outcomes(np.array(confidence), np.array(right), np.array(in_scope))

    def confusions(self) -> Counter[tuple[str, str]]:
        """Return how often a topic's example was ranked under another topic: (its, other)."""
        pairs = ((e.label, e.ranking[0][0]) for e in self.held_out)
        return Counter(
            (label.removeprefix("faq/"), best.removeprefix("faq/"))
            for label, best in pairs
            if base(label) == base(best) == LIBRARY and label != best
        )


def study_own_examples() -> Study:
    """Train on all examples and return how each was ranked when it was held out (minutes)."""
    library = TopicLibrary.load(FAQ, CONTENT / "sources.yml")
    questions = [
        (text, label)
        for text, label in zip(*training_examples(), strict=True)
        if base(label) not in GATE_INTENTS
    ]
    passages = [
        (passage, f"{LIBRARY}/{key}")
        for key, topic in library.items()
        for passage in (topic.title, topic.text, topic.simpler, topic.detail)
    ]
    trained = train_topics(questions, passages, SentenceEncoder(ENCODER))
    known = [example for example in trained.held_out if example.topic_known]
    return Study(known, trained.thresholds)

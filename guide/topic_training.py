"""Trains all that recognises topics: views, ranker, thresholds, and the words of typing repair."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from guide.bands import OUT_OF_SCOPE, Thresholds, base, learn_thresholds
from guide.folding import fold
from guide.ranking import Floats, TopicRanker
from guide.ranking_training import Examples, HeldOut, train_ranker
from guide.views import Encoder, Views, find_shared_words

# Labels of the safety gate; the ranking does not know them.
GATE_INTENTS = frozenset({"crisis", "check_in", "boundary", "harmless"})
# The examples hold typing errors on purpose: a word is right when they use it this often.
MIN_USES = 5


class TrainedTopics(NamedTuple):
    """What training gives, and how each example was ranked when it was held out."""

    ranker: TopicRanker
    thresholds: Thresholds
    shared_words: list[str]
    words: list[str]
    held_out: list[HeldOut]


def train_topics(
    questions: Sequence[tuple[str, str]],
    passages: Sequence[tuple[str, str]],
    encoder: Encoder,
    whole: Floats | None = None,
) -> TrainedTopics:
    """Train on questions and on passages of the answers, both pairs of text and label.

    `whole` are the embeddings of the questions, shape (questions, 384), where the caller has them.
    Raises ValueError when there are fewer than three labels.
    """
    texts, labels = [text for text, _ in questions], [label for _, label in questions]
    told, topics = [text for text, _ in passages], [label for _, label in passages]
    shared_words = find_shared_words(texts, labels)
    views = Views(encoder, shared_words)
    ranker, held_out = train_ranker(
        Examples(texts, labels, views.encode(texts, whole)),
        Examples(told, topics, views.encode(told)),
        {label for label in labels if base(label) == OUT_OF_SCOPE},
    )
    uses = Counter(word for text in texts for word in fold(text).split())
    words = sorted(word for word, count in uses.items() if count >= MIN_USES)
    return TrainedTopics(ranker, learn_thresholds(held_out), shared_words, words, held_out)

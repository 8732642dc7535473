"""The topic ranker, on made-up embeddings: every topic is a direction, every text lies near one."""

from pathlib import Path

import numpy as np
import pytest

from guide.ranking import SPELLING, Floats, TopicRanker, kernel
from guide.ranking_training import RIDGE, Examples, Training, _Regression, train_ranker

TOPICS = [f"faq/topic_{i}" for i in range(12)]
OUTSIDE = ["out_of_scope/everyday", "greet"]
DIRECTIONS = np.linalg.qr(np.random.default_rng(1).standard_normal((384, 40)))[0].T
WORDS = ("bladder", "driving", "insurance", "music", "nausea", "fasting", "pregnancy")


def near(direction: int, count: int, seed: int = 0, noise: float = 0.7) -> Floats:
    """Unit vectors around a direction."""
    random = np.random.default_rng([seed, direction])
    spread = random.standard_normal((count, 384)) / np.sqrt(384)
    vectors = DIRECTIONS[direction] + noise * spread
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def examples(labels: list[str], count: int = 10, seed: int = 0) -> Examples:
    """Examples of the labels, shuffled."""
    texts = [f"{WORDS[i % 7]} question {i} {j}" for i in range(len(labels)) for j in range(count)]
    vectors = np.vstack([near(i, count, seed) for i in range(len(labels))])
    order = np.random.default_rng(seed).permutation(len(texts))
    named = [labels[i // count] for i in order]
    return Examples([texts[i] for i in order], named, vectors[order])


@pytest.fixture(scope="module")
def training() -> Training:
    """A ranker trained on all labels."""
    return train_ranker(examples(TOPICS + OUTSIDE), outside=OUTSIDE)


@pytest.fixture(scope="module")
def without_outside() -> Training:
    """A ranker that has no examples of what is outside."""
    return train_ranker(examples(TOPICS))


def test_the_right_topic_comes_first_and_far_ahead(training: Training) -> None:
    for i, topic in enumerate(TOPICS):
        first, second, *_ = training.ranker.rank("something else entirely", near(i, 1, seed=7)[0])
        assert first[0] == topic
        assert first[1] > 3 * second[1]


def test_a_ranking_is_sorted_probabilities_of_distinct_labels(training: Training) -> None:
    ranking = training.ranker.rank("bladder question", near(3, 1, seed=7)[0])
    labels, confidences = zip(*ranking, strict=True)
    assert len(set(labels)) == len(labels) <= 10
    assert sorted(confidences, reverse=True) == list(confidences)
    assert all(0 <= confidence <= 1 for confidence in confidences)


def test_what_is_like_nothing_known_gets_little_confidence(training: Training) -> None:
    unknown = [training.ranker.rank("zzz", near(i, 1, seed=7)[0])[0][1] for i in range(20, 40)]
    known = [training.ranker.rank("zzz", near(i, 1, seed=7)[0])[0][1] for i in range(12)]
    assert max(unknown) < min(known)


def test_near_what_is_outside_no_topic_is_confident(training: Training) -> None:
    ranking = training.ranker.rank("nice weather", near(len(TOPICS), 1, seed=7)[0])
    assert ranking[0][0] == OUTSIDE[0]
    assert all(confidence < 0.1 for label, confidence in ranking if label in TOPICS)


@pytest.mark.parametrize("text", ["", " ", "🙂", "\x00", "k" * 10_000, "кетамин"])
def test_any_text_is_ranked(training: Training, text: str) -> None:
    assert training.ranker.rank(text, near(0, 1)[0])


def test_spelling_decides_where_meaning_does_not() -> None:
    same = near(0, 30, noise=1.0)
    texts = [f"{word} {i}" for word in ("bladder", "insurance", "driving") for i in range(10)]
    labels = [label for label in ("faq/a", "faq/b", "faq/c") for _ in range(10)]
    ranker = train_ranker(Examples(texts, labels, same)).ranker
    middle = same.mean(axis=0)
    assert ranker.rank("insurence", middle / np.linalg.norm(middle))[0][0] == "faq/b"


def test_a_passage_teaches_its_topic() -> None:
    passage = Examples(["an answer"], [TOPICS[4]], near(30, 1))
    asked = near(30, 1, seed=7)[0]
    without = train_ranker(examples(TOPICS)).ranker.rank("zzz", asked)
    taught = train_ranker(examples(TOPICS), passage).ranker.rank("zzz", asked)
    assert taught[0][0] == TOPICS[4]
    assert taught[0][1] > dict(without).get(TOPICS[4], 0)


def test_every_example_is_held_out(training: Training) -> None:
    assert all(held.topic_known for held in training.held_out)
    assert sorted(held.label for held in training.held_out) == sorted((TOPICS + OUTSIDE) * 10)
    assert np.mean([held.ranking[0][0] == held.label for held in training.held_out]) > 0.9


def test_without_examples_of_the_outside_whole_labels_are_held_out(
    without_outside: Training,
) -> None:
    known = [held for held in without_outside.held_out if held.topic_known]
    unknown = [held for held in without_outside.held_out if not held.topic_known]
    assert sorted(held.label for held in known) == sorted(TOPICS * 10)
    assert sorted(held.label for held in unknown) == sorted(TOPICS * 10)
    assert all(held.label not in dict(held.ranking) for held in unknown)


def test_confidence_tells_held_out_topics_from_known_ones(without_outside: Training) -> None:
    def median(known: bool) -> float:
        rankings = [h.ranking for h in without_outside.held_out if h.topic_known == known]
        return float(np.median([ranking[0][1] for ranking in rankings]))

    assert median(known=True) > 2 * median(known=False)


def test_held_out_scores_are_those_of_a_model_without_the_examples() -> None:
    texts, labels, vectors = examples(TOPICS)
    names, codes = np.unique(labels, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    regression = _Regression([texts[i] for i in order], codes[order], vectors[order], len(order))
    rows = np.arange(5, 25)
    rest = np.setdiff1d(np.arange(len(order)), rows)

    points, characters = regression.points, regression.characters
    gram = kernel(points @ points.T) + SPELLING * characters @ characters.T
    solved = np.linalg.solve(
        gram[np.ix_(rest, rest)] + RIDGE * np.eye(len(rest)), np.eye(len(names))[codes[order][rest]]
    )
    held = regression.hold_out(rows, np.zeros(len(names), dtype=bool))
    seen = [i for i in range(len(names)) if i != 1]  # all examples of label 1 are held out
    np.testing.assert_allclose(
        held.scores[:, seen], (gram[np.ix_(rows, rest)] @ solved)[:, seen], atol=1e-3
    )


def test_a_saved_ranker_ranks_the_same(training: Training, tmp_path: Path) -> None:
    training.ranker.save(tmp_path / "ranker.npz")
    loaded = TopicRanker.load(tmp_path / "ranker.npz")
    asked = near(5, 1, seed=7)[0]
    assert loaded.rank("a question", asked) == training.ranker.rank("a question", asked)


def test_training_twice_gives_the_same_ranker(training: Training) -> None:
    again = train_ranker(examples(TOPICS + OUTSIDE), outside=OUTSIDE).ranker
    np.testing.assert_array_equal(again.coefficients, training.ranker.coefficients)
    np.testing.assert_array_equal(again.judgement, training.ranker.judgement)


def test_topics_with_a_single_example_are_ranked() -> None:
    ranker = train_ranker(examples(TOPICS, count=1)).ranker
    assert ranker.rank("zzz", near(2, 1)[0])[0][0] == TOPICS[2]


def test_fewer_than_three_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="at least three labels, found 2"):
        train_ranker(examples(TOPICS[:2]))

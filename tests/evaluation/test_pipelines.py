"""The comparison of pipelines: what is held out, and a small run of the whole."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from evaluation.pipelines import (
    PARTS,
    Answer,
    Example,
    draw_examples,
    intent_of,
    outcomes_of,
    split_examples,
)
from evaluation.selective import answered_rightly
from guide.bands import LIBRARY, OUT_OF_SCOPE, base
from guide.folding import fold
from guide.paths import ENCODER, ROOT
from tests.needs import need

TOPICS = 4


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """Examples of a few topics, and all that are out of scope."""
    return draw_examples(TOPICS)


def test_so_many_topics_are_drawn_beside_all_that_is_out_of_scope(examples: list[Example]) -> None:
    labels = {label for _, label in examples}
    everything = {label for _, label in draw_examples(0)}
    assert sum(base(label) == LIBRARY for label in labels) == TOPICS
    assert labels < everything
    assert {x for x in everything if base(x) == OUT_OF_SCOPE} < labels
    assert {base(label) for label in everything} == {LIBRARY, OUT_OF_SCOPE}


def test_drawing_and_splitting_again_gives_the_same(examples: list[Example]) -> None:
    assert draw_examples(TOPICS) == examples
    assert split_examples(examples) == split_examples(examples)


def test_nothing_is_both_learned_and_asked(examples: list[Example]) -> None:
    splits = split_examples(examples)
    assert len(splits) == PARTS
    for train, test in splits:
        assert not {fold(text) for text, _ in train} & {fold(text) for text, _ in test}
        assert sorted(train + test) == sorted(examples)
    assert sorted(pair for split in splits for pair in split.test) == sorted(examples)


def test_a_fifth_of_each_label_is_held_out(examples: list[Example]) -> None:
    whole = Counter(label for _, label in examples)
    for split in split_examples(examples):
        held_out = Counter(label for _, label in split.test)
        for label, count in whole.items():
            assert abs(held_out[label] - count / PARTS) <= 1, label


@pytest.mark.parametrize(
    ("label", "intent"),
    [("faq/bladder", "faq_bladder"), ("out_of_scope/veterinary", "out_of_scope")],
)
def test_rasas_intents_are_plain(label: str, intent: str) -> None:
    assert intent_of(label) == intent


def test_only_the_right_topic_counts() -> None:
    test = [("a", "faq/one"), ("b", "faq/two"), ("c", "out_of_scope/pets"), ("d", "faq/one")]
    answers = [Answer("faq/one", 0.9, 1), Answer("faq/one", 0.8, 1), Answer("faq/one", 0.7, 1)]
    found = outcomes_of(test, [*answers, Answer("", 0.0, 1)])
    np.testing.assert_array_equal(found.right, [True, False, False, False])
    np.testing.assert_array_equal(found.in_scope, [True, True, False, True])
    np.testing.assert_array_equal(found.confidence, [0.9, 0.8, 0.7, 0.0])
    assert answered_rightly(found, 0.0) == pytest.approx(1 / 3)


def test_a_small_comparison_runs_from_end_to_end(tmp_path: Path) -> None:
    need(ENCODER if ENCODER.is_dir() else None, "the encoder is not built")
    options = ["--topics", str(TOPICS), "--without-diet", "--results", str(tmp_path)]
    command = [sys.executable, "-m", "evaluation.pipelines", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads((tmp_path / "pipelines.json").read_text(encoding="utf-8"))
    assert figures["about"]["topics"] == TOPICS
    names = [row["pipeline"] for row in figures["rows"]]
    assert len(names) == 3
    assert names[-1] == "ours"
    for row in figures["rows"]:
        # Of few topics nearly everything is recognised; what is far from that is a broken run.
        low, high = row["interval"]
        assert 0.6 < row["right_first"] <= 1
        assert low <= row["right_first"] <= high
        assert row["auroc"] > 0.8
        assert 0 < row["answered_rightly"] <= row["right_first"]
        assert row["training_seconds"] > 0
        assert row["milliseconds"] > 0
    table = (tmp_path / "pipelines.md").read_text(encoding="utf-8")
    assert all(f"| {name} |" in table for name in names)
    assert f"{TOPICS} randomly drawn of" in table

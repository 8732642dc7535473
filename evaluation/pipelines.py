"""Compares four ways to recognise topics, on our own topics: `python -m evaluation.pipelines`.

Rasa's default pipeline (DIET), Rasa's logistic regression over count vectors and over our sentence
embeddings, and ours learn from the same four fifths of the examples of some topics and of all
out-of-scope examples, and are asked the fifth that was held out. Topics are drawn with a fixed
seed: DIET takes hours on all of them (`--topics 0`). To Rasa's classifiers a topic is a plain
intent and everything out of scope is one more; ours learns as the model does, with a label for each
kind of out-of-scope question and with the answers beside the questions.

The confidence of a message is that of its best topic. Writes results/pipelines.json and
results/pipelines.md.
"""

import asyncio
import json
import logging
import os
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import typer
import yaml
from rich.table import Table
from sklearn.model_selection import StratifiedKFold

from evaluation.bench import machine
from evaluation.bench.projects import default_config
from evaluation.safety import Rate, training_examples
from evaluation.selective import Outcomes, answered_rightly, area_under_risk, separation
from guide.bands import LIBRARY, OUT_OF_SCOPE, base
from guide.command.common import console
from guide.embedding import SentenceEncoder
from guide.folding import fold
from guide.paths import CONTENT, ENCODER, FAQ, ROOT
from guide.topic_training import train_topics
from guide.topics import TopicLibrary
from guide.views import Views

RESULTS = ROOT / "results"
SEED = 7
PARTS = 5
"""One of so many parts of the examples is held out."""
STRAYS = 0.03
"""Share of the out-of-scope messages that may be answered where pipelines are compared."""

COUNT_VECTORS: list[dict[str, Any]] = [
    {"name": "WhitespaceTokenizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": "LogisticRegressionClassifier"},
]
EMBEDDINGS: list[dict[str, Any]] = [
    {"name": "components.sentence_encoder.SentenceEncoder", "directory": str(ENCODER)},
    {"name": "evaluation.bench.encoder_regression.EncoderRegression"},
]

Example = tuple[str, str]
"""A text and its label, as in data/."""


class Split(NamedTuple):
    """What is learned from, and what is asked."""

    train: list[Example]
    test: list[Example]


class Answer(NamedTuple):
    """The best topic for a message, and how sure and how quick that was."""

    label: str  # as in data/; empty where no topic was among the best intents
    confidence: float
    milliseconds: float


class Run(NamedTuple):
    """One training of a pipeline, and its answers to the held-out messages in their order."""

    seconds: float
    answers: list[Answer]


Pipeline = Callable[[Split], Run]


def draw_examples(topics: int) -> list[Example]:
    """Return the examples of so many topics (0: all), and all that are out of scope.

    Texts that differ in spelling alone count as one, so that none is both learned and asked.
    """
    own = {
        fold(text): (text, label)
        for text, label in zip(*training_examples(), strict=True)
        if base(label) in (LIBRARY, OUT_OF_SCOPE)
    }
    found = sorted({label for _, label in own.values() if base(label) == LIBRARY})
    chance = random.Random(SEED)  # noqa: S311 (a choice of topics)
    drawn = set(chance.sample(found, topics) if 0 < topics < len(found) else found)
    return [pair for pair in own.values() if base(pair[1]) == OUT_OF_SCOPE or pair[1] in drawn]


def split_examples(examples: Sequence[Example]) -> list[Split]:
    """Return the five ways to hold out a fifth of the examples, the same share of each label."""
    parts = StratifiedKFold(PARTS, shuffle=True, random_state=SEED)
    labels = [label for _, label in examples]
    return [
        Split([examples[i] for i in train], [examples[i] for i in test])
        for train, test in parts.split(labels, labels)
    ]


def intent_of(label: str) -> str:
    """Return the plain intent that stands for a label in Rasa's pipelines."""
    return f"{LIBRARY}_{label.partition('/')[2]}" if base(label) == LIBRARY else OUT_OF_SCOPE


def run_rasa(pipeline: list[dict[str, Any]], split: Split) -> Run:
    """Train a pipeline of Rasa's, in this process and without cache, and ask it."""
    # Rasa reads these while it trains, and loading it takes seconds that others need not wait for.
    os.environ.update(
        RASA_TELEMETRY_ENABLED="false", RASA_MAX_CACHE_SIZE="0", TF_CPP_MIN_LOG_LEVEL="3"
    )
    from rasa.engine.recipes import default_components  # noqa: F401 (before the clock runs)
    from rasa.model_training import train_nlu
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.WARNING)
    texts: dict[str, list[str]] = {}
    for text, label in split.train:
        texts.setdefault(intent_of(label), []).append(text)
    config = {
        "recipe": "default.v1",
        "assistant_id": "compared",
        "language": "en",
        "pipeline": pipeline,
    }
    nlu = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in own)}
        for intent, own in texts.items()
    ]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        (folder / "nlu.yml").write_text(
            yaml.safe_dump({"version": "3.1", "nlu": nlu}, allow_unicode=True), encoding="utf-8"
        )
        started = time.perf_counter()
        model = train_nlu(str(folder / "config.yml"), str(folder / "nlu.yml"), str(folder))
        seconds = time.perf_counter() - started
        return Run(seconds, asyncio.run(_ask_rasa(model, split)))


async def _ask_rasa(model: str, split: Split) -> list[Answer]:
    """Return the answers of a trained model."""
    from rasa.core.agent import Agent

    labels = {intent_of(label): label for _, label in split.train if base(label) == LIBRARY}
    agent = Agent.load(model)
    answers = []
    for text, _ in split.test:
        started = time.perf_counter()
        parsed = await agent.parse_message(text)
        milliseconds = 1000 * (time.perf_counter() - started)
        ranking = [(e["name"], e["confidence"]) for e in parsed["intent_ranking"]]
        intent, sure = next((entry for entry in ranking if entry[0] in labels), ("", 0.0))
        answers.append(Answer(labels.get(intent, ""), float(sure), milliseconds))
    return answers


def run_ours(split: Split) -> Run:
    """Train the shipped ranking as the model's training does, and ask it, without Rasa around it.

    A passage that says the same as a held-out message is left out.
    """
    library = TopicLibrary.load(FAQ, CONTENT / "sources.yml")
    asked = {fold(text) for text, _ in split.test}
    learned = {label for _, label in split.train}
    passages = [
        (passage, f"{LIBRARY}/{key}")
        for key, topic in library.items()
        for passage in (topic.title, topic.text, topic.simpler, topic.detail)
        if f"{LIBRARY}/{key}" in learned and passage and fold(passage) not in asked
    ]
    encoder = SentenceEncoder(ENCODER)
    started = time.perf_counter()
    trained = train_topics(split.train, passages, encoder)
    seconds = time.perf_counter() - started
    views = Views(encoder, trained.shared_words)
    answers = []
    for text, _ in split.test:
        started = time.perf_counter()
        ranking = trained.ranker.rank(text, views.encode([text])[0])
        milliseconds = 1000 * (time.perf_counter() - started)
        best = next((entry for entry in ranking if base(entry[0]) == LIBRARY), ("", 0.0))
        answers.append(Answer(*best, milliseconds))
    return Run(seconds, answers)


def outcomes_of(test: Sequence[Example], answers: Sequence[Answer]) -> Outcomes:
    """Return what became of each held-out message."""
    return Outcomes(
        np.array([answer.confidence for answer in answers]),
        np.array([a.label == label for a, (_, label) in zip(answers, test, strict=True)]),
        np.array([base(label) == LIBRARY for _, label in test]),
    )


def measure(name: str, pipeline: Pipeline, splits: Sequence[Split]) -> dict[str, Any]:
    """Return the figures of a pipeline over the held-out messages of all splits together.

    `training_seconds` and `milliseconds` are medians, of trainings and of messages.
    """
    runs = []
    for number, split in enumerate(splits, 1):
        with console.status(f"{name}: training and asking, {number} of {len(splits)}"):
            runs.append(pipeline(split))
    answers = [answer for run in runs for answer in run.answers]
    found = outcomes_of([pair for split in splits for pair in split.test], answers)
    first = Rate(name, int(found.right.sum()), int(found.in_scope.sum()))
    return {
        "pipeline": name,
        "right_first": first.share,
        "interval": first.interval,
        "asked": first.lines,
        "out_of_scope_asked": len(answers) - first.lines,
        "auroc": separation(found),
        "area_under_risk": area_under_risk(found),
        "answered_rightly": answered_rightly(found, STRAYS),
        "training_seconds": median(run.seconds for run in runs),
        "milliseconds": median(answer.milliseconds for answer in answers),
    }


HEADINGS = (
    "pipeline",
    "right first",
    "interval",
    "AUROC",
    "risk",
    "answered",
    "training",
    "message",
)
LEGEND = (
    "Right first: share of the questions in scope whose best topic is the right one, with its 95 % "
    "Clopper-Pearson interval. AUROC: how well confidence tells in scope from out of scope. Risk: "
    "area under the risk-coverage curve over all that was asked, lower is better; an answer to "
    "what is out of scope is wrong, so it depends on how much of that was asked. Answered: share "
    f"of the questions in scope answered rightly where {STRAYS:.0%} of what is out of scope is "
    "answered. Message: the median; Rasa's pipelines run in Rasa's graph, ours without it."
)


def cells(row: dict[str, Any]) -> list[str]:
    """Return a row of figures as text, in the order of HEADINGS."""
    low, high = row["interval"]
    return [
        row["pipeline"],
        f"{row['right_first']:.1%}",
        f"{low:.1%} to {high:.1%}",
        f"{row['auroc']:.3f}",
        f"{row['area_under_risk']:.3f}",
        f"{row['answered_rightly']:.1%}",
        f"{row['training_seconds']:.1f} s",
        f"{row['milliseconds']:.1f} ms",
    ]


def write(results: Path, about: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Write the figures and the table into a folder; return the sentence that says what they are.

    Args:
        results: the folder, made if it is missing.
        about: how it was measured; see `main`.
        rows: what `measure` returns, one for each pipeline.
    """
    drawn = "All" if about["topics"] == about["all_topics"] else f"{about['topics']} randomly drawn"
    diet = f", DIET at {about['epochs']} epochs" if about["with_diet"] else ""
    sentence = (
        f"{drawn} of {about['all_topics']} topics and everything out of scope{diet}: "
        f"{about['learned']} examples learned, {rows[0]['asked']} questions in scope and "
        f"{rows[0]['out_of_scope_asked']} out of scope asked ({about['folds']} of {PARTS} parts "
        "held out in turn)."
    )
    lines = [
        f"| {' | '.join(HEADINGS)} |",
        "|---" + "|--:" * (len(HEADINGS) - 1) + "|",
        *(f"| {' | '.join(cells(row))} |" for row in rows),
    ]
    text = "\n".join(
        [sentence, "", *lines, "", LEGEND, "", machine.sentence(about["machine"]) + ".", ""]
    )
    results.mkdir(parents=True, exist_ok=True)
    (results / "pipelines.md").write_text(text, encoding="utf-8")
    figures = json.dumps({"about": about, "rows": rows}, indent=2)
    (results / "pipelines.json").write_text(figures + "\n", encoding="utf-8")
    return sentence


def main(
    topics: int = typer.Option(30, min=0, help="topics drawn with a fixed seed; 0: all (hours)"),
    epochs: int = typer.Option(100, min=1, help="epochs of DIET; Rasa's own are 100"),
    with_diet: bool = typer.Option(True, "--with-diet/--without-diet", help="DIET takes longest"),
    folds: int = typer.Option(1, min=1, max=PARTS, help="how many fifths to hold out in turn"),
    results: Path = typer.Option(RESULTS, help="folder of pipelines.json and pipelines.md"),
) -> None:
    """Train and ask every pipeline, and show one table."""
    examples = draw_examples(topics)
    splits = split_examples(examples)[:folds]
    pipelines: dict[str, Pipeline] = {}
    if with_diet:
        default = default_config(epochs)["pipeline"]
        pipelines["Rasa's default pipeline (DIET)"] = partial(run_rasa, default)
    pipelines["count vectors, Rasa's logistic regression"] = partial(run_rasa, COUNT_VECTORS)
    pipelines["our sentence encoder, Rasa's logistic regression"] = partial(run_rasa, EMBEDDINGS)
    pipelines["ours"] = run_ours
    about = {
        "topics": len({label for _, label in examples if base(label) == LIBRARY}),
        "all_topics": len(TopicLibrary.load(FAQ, CONTENT / "sources.yml")),
        "learned": len(splits[0].train),
        "epochs": epochs,
        "with_diet": with_diet,
        "folds": folds,
        "seed": SEED,
        "machine": machine.describe(),
    }
    rows = [measure(name, pipeline, splits) for name, pipeline in pipelines.items()]
    sentence = write(results, about, rows)
    table = Table(title=sentence, caption=LEGEND)
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)
    console.print(f"written: {results.name}/pipelines.json, pipelines.md")


if __name__ == "__main__":
    typer.run(main)

"""The shipped ranker on HINT3, beside published systems: `python -m evaluation.hint3 --data DIR`.

HINT3 (github.com/hellohaptik/HINT3, v1, full training sets) holds real questions to three small
FAQ bots, more than half of them out of scope. The directory holds its `<bot>_train.csv` and
`<bot>_test.csv`. The ranker and its settings are those of the assistant, unchanged.
"""

import csv
from pathlib import Path

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from evaluation.selective import (
    Outcomes,
    accuracy,
    area_under_risk,
    coverage_at,
    separation,
)
from guide.embedding import SentenceEncoder
from guide.paths import ENCODER
from guide.ranking_training import Examples, train_ranker
from guide.views import Views, find_shared_words

OUT_OF_SCOPE = "NO_NODES_DETECTED"
# Computed from the predictions that the authors published, with the measures of this package:
# accuracy, AUROC, area under the risk-coverage curve, coverage at 90 % precision.
PUBLISHED = {
    "sofmattress": {
        "Rasa (DIET, ConveRT)": (0.693, 0.792, 0.371, 0.01),
        "Dialogflow": (0.732, 0.869, 0.298, 0.14),
        "LUIS": (0.636, 0.868, 0.376, 0.01),
        "Haptik": (0.723, 0.839, 0.330, 0.16),
        "BERT": (0.736, 0.868, 0.318, 0.06),
    },
    "curekart": {
        "Rasa (DIET, ConveRT)": (0.841, 0.801, 0.343, 0.15),
        "Dialogflow": (0.750, 0.856, 0.362, 0.17),
        "LUIS": (0.737, 0.827, 0.411, 0.08),
        "Haptik": (0.808, 0.850, 0.347, 0.15),
        "BERT": (0.836, 0.824, 0.345, 0.09),
    },
    "powerplay11": {
        "Rasa (DIET, ConveRT)": (0.491, 0.709, 0.694, 0.02),
        "Dialogflow": (0.596, 0.728, 0.684, 0.00),
        "LUIS": (0.524, 0.762, 0.709, 0.01),
        "Haptik": (0.673, 0.766, 0.645, 0.01),
        "BERT": (0.585, 0.699, 0.660, 0.01),
    },
}


def read(path: Path) -> tuple[list[str], list[str]]:
    """Returns the sentences of a file and their labels."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["sentence"] for row in rows], [row["label"] for row in rows]


def run(directory: Path, bot: str, encoder: SentenceEncoder) -> Outcomes:
    """Trains on a bot's training set; returns what comes of its test set."""
    texts, labels = read(directory / f"{bot}_train.csv")
    views = Views(encoder, find_shared_words(texts, labels))
    ranker = train_ranker(Examples(texts, labels, views.encode(texts))).ranker
    texts, labels = read(directory / f"{bot}_test.csv")
    embeddings = views.encode(texts)
    best = [ranker.rank(t, e)[0] for t, e in zip(texts, embeddings, strict=True)]
    return Outcomes(
        np.array([confidence for _, confidence in best]),
        np.array([found == label for (found, _), label in zip(best, labels, strict=True)]),
        np.array(labels) != OUT_OF_SCOPE,
    )


def main(
    data: Path = typer.Option(..., help="folder with the HINT3 files", exists=True),
) -> None:
    """Compare the shipped ranker with published systems on HINT3."""
    encoder = SentenceEncoder(ENCODER)
    for bot, systems in PUBLISHED.items():
        outcomes = run(data, bot, encoder)
        table = Table(title=f"HINT3 {bot}, full training set")
        for heading in ("system", "accuracy", "AUROC", "AURC", "coverage at 90 %"):
            table.add_column(heading, justify="left" if heading == "system" else "right")
        for name, (raw, auroc, aurc, coverage) in systems.items():
            table.add_row(name, f"{raw:.3f}", f"{auroc:.3f}", f"{aurc:.3f}", f"{coverage:.2f}")
        table.add_row(
            "KAP Guide",
            f"{accuracy(outcomes):.3f}",
            f"{separation(outcomes):.3f}",
            f"{area_under_risk(outcomes):.3f}",
            f"{coverage_at(outcomes, 0.9):.2f}",
            style="bold",
        )
        Console().print(table)


if __name__ == "__main__":
    typer.run(main)

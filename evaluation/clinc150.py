"""Trains and tests the shipped ranker on CLINC150: `python -m evaluation.clinc150 [--data DIR]`.

FILE is data_full.json of github.com/clinc/oos-eval. The out-of-scope training texts are one more
label, as the assistant's own out-of-scope examples are. The threshold is chosen on the validation
part. The ranker and its settings are those of the assistant, unchanged; with 15,100 examples its
training takes some minutes and 4 GB of memory.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from evaluation.selective import Outcomes, accuracy, area_under_risk, separation
from guide.embedding import SentenceEncoder
from guide.paths import ENCODER
from guide.ranking import TopicRanker
from guide.ranking_training import Examples, train_ranker
from guide.views import Views, find_shared_words

OUT_OF_SCOPE = "oos"
# overall accuracy, out-of-scope recall, in-scope rejected, AUROC; from papers and model cards
PUBLISHED: dict[str, tuple[float | None, ...]] = {
    "mpnet, linear SVM, calibrated": (0.920, 0.815, 0.040, None),
    "mpnet, fine-tuned, nearest example": (0.937, 0.803, 0.012, None),
    "BERT-base": (None, None, None, 0.942),
    "BERT-base, SNGP": (None, None, None, 0.969),
}


def outcomes(ranker: TopicRanker, views: Views, inside: Any, outside: Any) -> Outcomes:
    """Returns what the ranker does with pairs of text and label."""
    pairs = [*inside, *outside]
    embeddings = views.encode([text for text, _ in pairs])
    confidence, right = [], []
    for (text, label), embedding in zip(pairs, embeddings, strict=True):
        ranking = ranker.rank(text, embedding)
        # Not to answer is no intent: what counts is the confidence of the best intent.
        found, sure = next(entry for entry in ranking if entry[0] != OUT_OF_SCOPE)
        confidence.append(sure)
        right.append(found == label)
    in_scope = np.arange(len(pairs)) < len(inside)
    return Outcomes(np.array(confidence), np.array(right), in_scope)


def overall(found: Outcomes, threshold: float) -> float:
    """Share of all texts answered rightly, or rightly declined, at a threshold."""
    answered = found.confidence >= threshold
    return float(np.where(found.in_scope, answered & found.right, ~answered).mean())


def main(
    data: Path = typer.Option(..., help="data_full.json of CLINC150", exists=True),
    rejected: float = typer.Option(0.012, help="share of validation intents to reject"),
) -> None:
    """Compare the shipped ranker with published systems on CLINC150."""
    parts = json.loads(data.read_text(encoding="utf-8"))
    texts, labels = zip(*parts["train"], *parts["oos_train"], strict=True)
    views = Views(SentenceEncoder(ENCODER), find_shared_words(texts, labels))
    questions = Examples(texts, labels, views.encode(texts))
    ranker = train_ranker(questions, outside={OUT_OF_SCOPE}).ranker
    validation = outcomes(ranker, views, parts["val"], parts["oos_val"])
    test = outcomes(ranker, views, parts["test"], parts["oos_test"])

    threshold = float(np.quantile(validation.confidence[validation.in_scope], rejected))
    declined = test.confidence < threshold
    ours = (
        overall(test, threshold),
        float(declined[~test.in_scope].mean()),
        float(declined[test.in_scope].mean()),
        separation(test),
    )
    table = Table(title="CLINC150, full, with out-of-scope texts")
    for heading in ("system", "overall", "out-of-scope recall", "in-scope rejected", "AUROC"):
        table.add_column(heading, justify="left" if heading == "system" else "right")
    for name, figures in {**PUBLISHED, "KAP Guide": ours}.items():
        table.add_row(name, *("" if figure is None else f"{figure:.3f}" for figure in figures))
    Console().print(table)
    print(f"in-scope accuracy {accuracy(test):.3f}, AURC {area_under_risk(test):.3f}")


if __name__ == "__main__":
    typer.run(main)

"""The benchmark commands, on data small enough to look at."""

import csv
import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner

from evaluation import clinc150, hint3
from guide import encoder_export
from guide.paths import ENCODER
from tests.needs import need

QUESTIONS = {
    "COST": ["how much is it", "what does it cost", "price please", "is it expensive"],
    "SIZE": ["which size do i need", "how big is it", "is there a larger one", "size chart"],
    "RETURN": ["can i send it back", "how do i return it", "refund please", "return policy"],
}


@pytest.fixture(autouse=True)
def _encoder() -> None:
    need(ENCODER if encoder_export.is_current(ENCODER) else None, f"no encoder in {ENCODER}")


def test_hint3_prints_our_figures_beside_the_published(tmp_path: Path) -> None:
    for bot in hint3.PUBLISHED:
        for part in ("train", "test"):
            with (tmp_path / f"{bot}_{part}.csv").open("w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["sentence", "label"])
                rows.writerows(
                    (text, label) for label, texts in QUESTIONS.items() for text in texts
                )
                if part == "test":
                    rows.writerow(["the weather is nice", hint3.OUT_OF_SCOPE])
    printed = run(hint3.main, "--data", str(tmp_path))
    assert printed.count("KAP Guide") == 3
    assert printed.count("Dialogflow") == 3


def test_clinc150_prints_our_figures_beside_the_published(tmp_path: Path) -> None:
    inside = [[text, label] for label, texts in QUESTIONS.items() for text in texts]
    outside = [["the weather is nice", "oos"], ["sing a song", "oos"]]
    parts = dict.fromkeys(("train", "val", "test"), inside)
    data = {**parts, **{f"oos_{name}": outside for name in parts}}
    path = tmp_path / "data_full.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert "KAP Guide" in run(clinc150.main, "--data", str(path))


def run(command: object, *arguments: str) -> str:
    """Runs a command; returns what it printed."""
    app = Typer()
    app.command()(command)  # type: ignore[type-var]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output

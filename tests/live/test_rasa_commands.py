"""Rasa's own commands keep working on this project."""

import os
import subprocess
import sys
from pathlib import Path

from guide.paths import ROOT
from guide.servers import environment


def rasa(*arguments: str) -> str:
    """Run a Rasa command in the checkout; return what it printed, fail with it if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "rasa", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment(5055)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def test_the_data_are_valid() -> None:
    printed = rasa("data", "validate")
    assert "No story structure conflicts found" in printed


def test_the_stories_go_as_written(trained_model: Path, tmp_path: Path) -> None:
    rasa(
        *("test", "core", "--model", str(trained_model), "--stories", "tests/stories"),
        *("--fail-on-prediction-errors", "--out", str(tmp_path)),
    )


def test_the_rules_can_be_drawn(tmp_path: Path) -> None:
    target = tmp_path / "graph.html"
    rasa("visualize", "--stories", "tests/stories", "--out", str(target))
    assert "<svg" in target.read_text(encoding="utf-8") or target.stat().st_size > 1000

"""How long training takes beside Rasa's default pipeline, on the same data, in one run.

`python -m evaluation.training_time [--factor 12]` trains the shipped pipeline, then the default,
both as whole `rasa train` processes without cache. The default is ended when it has taken `factor`
times as long: then "more than" is what was seen, and enough.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from guide.paths import ROOT
from guide.servers import environment

DEFAULT_PIPELINE: list[dict[str, Any]] = [
    {"name": "WhitespaceTokenizer"},
    {"name": "RegexFeaturizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
    {"name": "DIETClassifier", "epochs": 100, "constrain_similarities": True},
    {"name": "EntitySynonymMapper"},
    {"name": "ResponseSelector", "epochs": 100, "constrain_similarities": True},
    {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
]
"""The pipeline that `rasa init` suggests in Rasa 3.6."""


def train_seconds(pipeline: list[dict[str, Any]] | None, limit: float | None) -> float | None:
    """Return the wall time of one `rasa train` (seconds), or None when it took over `limit`.

    `pipeline` replaces the one of config.yml; the rest of the configuration stays.
    """
    config = yaml.safe_load((ROOT / "config.yml").read_text(encoding="utf-8"))
    if pipeline is not None:
        config["pipeline"] = pipeline
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
        for part in ("data", "build", "content"):
            (folder / part).symlink_to(ROOT / part)
        shutil.copy(ROOT / "domain.yml", folder)
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "rasa", "train", "--skip-validation", "--quiet"],
            cwd=folder,
            env={**os.environ, **environment(5055)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None
        if process.returncode != 0:
            raise RuntimeError("training failed; try `make train` to see why")
        return time.monotonic() - started


def main(
    factor: float = typer.Option(12.0, help="end the default pipeline after this many times ours"),
) -> None:
    """Train both pipelines on this project's data and compare the times."""
    console = Console()
    with console.status("training the shipped pipeline"):
        ours = train_seconds(None, None)
    assert ours is not None, "without a limit training always ends"
    with console.status(f"training the default pipeline (at most {factor * ours:.0f} s)"):
        default = train_seconds(DEFAULT_PIPELINE, factor * ours)
    table = Table("pipeline", "seconds", "times ours")
    table.add_row("shipped", f"{ours:.1f}", "1")
    if default is None:
        table.add_row("Rasa's default", f"> {factor * ours:.0f}", f"> {factor:.0f}")
    else:
        table.add_row("Rasa's default", f"{default:.1f}", f"{default / ours:.1f}")
    console.print(table)
    if default is not None and default < 10 * ours:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)

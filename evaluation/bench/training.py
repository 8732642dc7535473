"""How long training takes beside Rasa's default pipeline, on the same data, in one run.

The default keeps our policies, so what is compared is understanding. It is ended when it has taken
so many times as long as ours: then "more than" is what was seen, and enough.
"""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from evaluation.bench.projects import default_config, train
from guide.content import load_yaml
from guide.paths import ROOT

FACTOR = 12.0


def measure(factor: float = FACTOR) -> dict[str, Any]:
    """Train both, each as a whole process without cache.

    Returns `rows` with the seconds, None where the default was ended, and the `factor`.
    """
    ours = _seconds(None, None)
    assert ours is not None, "without a limit training always ends"
    default = _seconds(default_config(None)["pipeline"], factor * ours)
    rows = [{"assistant": "ours", "seconds": ours}, {"assistant": "default", "seconds": default}]
    return {"rows": rows, "factor": factor}


def _seconds(pipeline: list[dict[str, Any]] | None, limit: float | None) -> float | None:
    """Return the wall time of training with a pipeline (None: ours); None if over the limit."""
    config = load_yaml(ROOT / "config.yml")
    if pipeline is not None:
        config["pipeline"] = pipeline
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
        for part in ("data", "build", "content"):
            (folder / part).symlink_to(ROOT / part)
        shutil.copy(ROOT / "domain.yml", folder)
        started = time.monotonic()
        try:
            train(folder, env={}, seconds=limit)
        except subprocess.TimeoutExpired:
            return None
        return round(time.monotonic() - started, 1)

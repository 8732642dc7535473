"""The assistants that ours is compared with: what they are made of, and their training.

Trained models lie under build/bench, named by a digest of what they are made from.
"""

import hashlib
import os
import random
import shutil
import subprocess
import sys
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from guide.content import load_yaml
from guide.paths import DATA, ROOT
from guide.servers import ServerError, environment

FOLDER = ROOT / "build" / "bench"
JSONSCHEMA = "4.17.3"
"""What Rasa 3.6.21 gets by itself; the one dependency in which ours deviates (docs/adr/0005)."""
STORIES = 40
STORY_TURNS = 3

FLOOR_CONFIG = {
    "recipe": "default.v1",
    "assistant_id": "floor",
    "language": "en",
    "pipeline": [{"name": "evaluation.bench.echo.Echo"}],
    "policies": [{"name": "RulePolicy"}],
}
FLOOR_DOMAIN = {
    "version": "3.1",
    "intents": ["plain", "action"],
    "actions": ["action_echo"],
    "responses": {"utter_echo": [{"text": "This is what was said."}]},
}
FLOOR_DATA = {
    "version": "3.1",
    "nlu": [
        {"intent": "plain", "examples": "- plain hello\n"},
        {"intent": "action", "examples": "- action hello\n"},
    ],
    "rules": [
        {"rule": "plain", "steps": [{"intent": "plain"}, {"action": "utter_echo"}]},
        {"rule": "action", "steps": [{"intent": "action"}, {"action": "action_echo"}]},
    ],
}


def default_config(epochs: int | None) -> dict[str, Any]:
    """Return the pipeline and policies that Rasa suggests, as the installed Rasa has them.

    Args:
        epochs: of everything that is trained in epochs; None leaves Rasa's own.
    """
    spec = find_spec("rasa")
    assert spec is not None, "rasa is installed"
    assert spec.origin is not None, "rasa is a package with files"
    recipes = Path(spec.origin).parent / "engine" / "recipes"
    config = load_yaml(recipes / "config_files" / "default_config.yml")
    for part in [*config["pipeline"], *config["policies"]]:
        if epochs is not None and "epochs" in part:
            part["epochs"] = epochs
    return {**config, "assistant_id": "default"}


def default_stories() -> dict[str, Any]:
    """Return stories made of the rules of data/, drawn with a fixed seed: TED learns from stories.

    Rasa's own default assistant comes with a handful.
    """
    steps = [
        rule["steps"]
        for path in sorted(DATA.rglob("*.yml"))
        for rule in load_yaml(path).get("rules", [])
    ]
    chance = random.Random(0)  # noqa: S311 (an order of turns)
    return {
        "version": "3.1",
        "stories": [
            {"story": f"{number}", "steps": [*chain(*chance.sample(steps, STORY_TURNS))]}
            for number in range(STORIES)
        ],
    }


def floor_model() -> Path:
    """Return the trained floor; trains it if there is none of these ingredients."""
    files = {
        "config.yml": _yaml(FLOOR_CONFIG),
        "domain.yml": _yaml(FLOOR_DOMAIN),
        "data/all.yml": _yaml(FLOOR_DATA),
    }
    return _trained("floor", files, {})


def default_model(epochs: int) -> Path:
    """Return Rasa's default assistant trained on data/; trains it if there is none."""
    files = {
        "config.yml": _yaml(default_config(epochs)),
        "domain.yml": (ROOT / "domain.yml").read_text(encoding="utf-8"),
        "data/stories.yml": _yaml(default_stories()),
        **{
            str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
            for path in sorted(DATA.rglob("*.yml"))
        },
    }
    return _trained("default", files, with_default_dependencies({}))


def rasas_environment(action_port: int) -> dict[str, str]:
    """Return the environment of our servers, but with as many threads as Rasa takes by itself."""
    env = environment(action_port)
    if "OMP_NUM_THREADS" not in os.environ:
        del env["OMP_NUM_THREADS"]
    return env


def with_default_dependencies(env: dict[str, str]) -> dict[str, str]:
    """Return an environment in which Rasa finds its own choice of dependencies first.

    Raises:
        ServerError: pip could not fetch them.
    """
    overlay = FOLDER / f"jsonschema-{JSONSCHEMA}"
    if not overlay.is_dir():
        # Its own needs are those of the installed version, so they are there already.
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        unfinished = FOLDER / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        done = subprocess.run(  # noqa: S603 (our own arguments)
            [*command, "--target", str(unfinished), f"jsonschema=={JSONSCHEMA}"], check=False
        )
        if done.returncode != 0:
            raise ServerError(f"pip could not install jsonschema {JSONSCHEMA}")
        unfinished.rename(overlay)
    path = os.pathsep.join([str(overlay), env.get("PYTHONPATH", str(ROOT))])
    return {**env, "PYTHONPATH": path}


def _trained(name: str, files: dict[str, str], env: dict[str, str]) -> Path:
    """Return the model trained from `files` (path to text), which may be there already."""
    own_code = (Path(__file__).parent / "echo.py").read_text(encoding="utf-8")
    made_of = repr([*sorted(files.items()), own_code, env])
    digest = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    model = FOLDER / name / f"{digest}.tar.gz"
    if model.is_file():
        return model
    project = FOLDER / name / digest
    for path, text in files.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")
    train(project, "--out", str(model.parent), "--fixed-model-name", digest, env=env)
    shutil.rmtree(project)
    return model


def train(project: Path, *options: str, env: dict[str, str], seconds: float | None = None) -> None:
    """Train the model of a project folder, and wait, at most so many seconds.

    Raises:
        ServerError: it failed; the message holds the last lines.
        subprocess.TimeoutExpired: it took longer, and was ended.
    """
    done = subprocess.run(  # noqa: S603 (our own arguments)
        [sys.executable, "-m", "rasa", "train", "--skip-validation", "--quiet", *options],
        cwd=project,
        env={**rasas_environment(0), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=seconds,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-12:])
        raise ServerError(f"training {project.name} failed; its last lines:\n{tail}")


def _yaml(data: Any) -> str:
    return yaml.safe_dump(data, sort_keys=False)

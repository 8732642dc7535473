"""deploy/Dockerfile: pinned, small in rights, and free of everything that is not meant to be in."""

import re
import subprocess
import sys
from pathlib import Path

from guide.paths import ROOT
from tests.deploy.conftest import IGNORE, Production, image_files

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
LINES = [
    line
    for line in re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines()
    if line.strip() and not line.startswith("#")
]


def stages() -> dict[str, list[str]]:
    """Return the instructions of every stage by its name."""
    found: dict[str, list[str]] = {}
    for line in LINES:
        if line.startswith("FROM"):
            found[line.split(" AS ")[1]] = [line]
        elif found:
            found[list(found)[-1]].append(line)
    return found


def test_the_base_is_pinned_and_so_is_every_package() -> None:
    base = next(line for line in LINES if line.startswith("ARG PYTHON_IMAGE="))
    assert re.fullmatch(
        r"ARG PYTHON_IMAGE=docker\.io/library/python:3\.10\.\S+@sha256:[0-9a-f]{64}", base
    )
    for lines in stages().values():
        assert lines[0].split()[1] in ("${PYTHON_IMAGE}", *stages())
    installs = [line for line in LINES if "pip install" in line]
    assert all("--no-deps" in line for line in installs)
    assert "--require-hashes" in installs[0]
    assert "apt-get" not in DOCKERFILE
    assert "curl" not in DOCKERFILE


def test_every_requirement_has_a_hash() -> None:
    lines = (ROOT / "requirements.txt").read_text().replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line.strip() and not line.startswith("#")]
    assert requirements
    assert all("==" in line and "--hash=sha256:" in line for line in requirements)


def test_both_images_run_without_root_and_tell_whether_they_are_well() -> None:
    assert "USER 10001:10001" in stages()["runtime"]
    for name in ("assistant", "actions"):
        lines = stages()[name]
        assert lines[0] == f"FROM runtime AS {name}"
        assert not [line for line in lines if line.startswith(("USER", "RUN", "COPY", "ADD"))]
        assert [line for line in lines if line.startswith("HEALTHCHECK")]
        assert lines[-1].startswith(f'CMD ["kap-guide", "serve", "{name}"')


def test_a_model_without_its_hash_is_not_built_in() -> None:
    assert stages()["build"][-1].endswith("model-hash --check")


def test_only_named_files_go_in_and_no_secret_is_among_them() -> None:
    assert IGNORE.read_text().splitlines()[1] == "*"
    for name in image_files():
        assert not re.search(r"secret|\.env|tests|\.git|var|\.venv|\.db", name), name
    optional = {"stores", "models/kap-guide.tar.gz", "models/kap-guide.tar.gz.sha256"}
    assert not [
        name for name in image_files() if name not in optional and not (ROOT / name).exists()
    ]


def test_what_goes_in_is_enough_to_answer(production: Production) -> None:
    done = production.run("model-hash", "--check")
    assert done.returncode == 0, done.stderr
    assert Path(production.app / "deploy" / "credentials.yml").is_file()
    assert not (production.app / "credentials.yml").exists()


def test_the_doctor_finds_nothing_wrong_in_what_goes_in(production: Production) -> None:
    done = production.run("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wrong" not in done.stdout
    assert "as it was recorded" in done.stdout
    assert production.run("purge").returncode == 0


def test_nothing_is_written_where_the_image_is_read_only(production: Production) -> None:
    """The doctor, the purge and conversations of other tests have been at work by then."""
    assert production.run("purge").returncode == 0
    assert frozenset(production.app.rglob("*")) == production.files


def test_another_model_is_not_started(production: Production) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "guide.command", "serve", "assistant", "--port", "1"],
        cwd=production.app,
        env={**production.env, "MODEL_SHA256": "0" * 64},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "do not load it" in " ".join(done.stderr.split())

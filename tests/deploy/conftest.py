"""The assistant as the image holds it: the files of the build context alone, secrets from files."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

from guide.model_hash import record
from guide.paths import MODEL, ROOT
from guide.servers import free_port
from tests.deploy.proxy import Proxy, serving

IGNORE = ROOT / "deploy" / "Dockerfile.dockerignore"


def image_files() -> list[str]:
    """Return the paths that deploy/Dockerfile.dockerignore lets into the images."""
    lines = [line.strip() for line in IGNORE.read_text().splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return [rule[1:] for rule in rules if rule.startswith("!")]


def copy_image_files(target: Path) -> None:
    """Copy what the images hold into `target`."""
    for name in image_files():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, target / name, ignore=lambda _, names: _ignored(names), dirs_exist_ok=True
            )
        elif source.exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / name)


def _ignored(names: list[str]) -> list[str]:
    return [name for name in names if fnmatch(name, "__pycache__")]


@dataclass(frozen=True)
class Production:
    """The production profile, running behind nginx."""

    proxy: Proxy
    port: int
    env: dict[str, str]
    app: Path
    logs: tuple[Path, Path]
    files: frozenset[Path]
    """What was in `app` before anything was started."""

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of kap-guide in the same installation."""
        return subprocess.run(
            [sys.executable, "-m", "guide.command", *arguments],
            cwd=self.app,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture(scope="session")
def production(
    trained_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    """Assistant, action server and nginx, started by the commands of the images."""
    folder = tmp_path_factory.mktemp("production")
    app = folder / "app"
    app.mkdir()
    copy_image_files(app)
    record(app / MODEL.relative_to(ROOT))
    files = frozenset(app.rglob("*"))
    secret = folder / "web_secret"
    secret.write_text("s" * 64 + "\n")
    port, action_port = free_port(), free_port()
    env = {
        **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
        "KAP_GUIDE_HOME": str(app),
        "PYTHONPATH": str(app),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "DATA_DIR": str(folder / "data"),
        "WEB_SECRET_FILE": str(secret),
        "ACTION_PORT": str(action_port),
        "PORT": str(port),
    }
    logs = (folder / "actions.log", folder / "assistant.log")
    processes = []
    try:
        for name, log in zip(("actions", "assistant"), logs, strict=True):
            with log.open("wb") as output:
                processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "guide.command", "serve", name],
                        cwd=app,
                        env=env,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                    )
                )
        for waited_for in (action_port, port):
            _wait(waited_for, processes, logs)
        with serving(tmp_path_factory.mktemp("proxy"), [port]) as proxy:
            yield Production(proxy, port, env, app, logs, files)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def _wait(port: int, processes: list["subprocess.Popen[bytes]"], logs: tuple[Path, ...]) -> None:
    for _ in range(1800):
        for process in processes:
            assert process.poll() is None, json.dumps([log.read_text()[-2000:] for log in logs])
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"nothing listens on {port}")

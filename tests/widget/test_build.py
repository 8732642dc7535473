"""The built file is what its sources make, and small."""

import gzip
import subprocess
from pathlib import Path

from tests.widget.conftest import WIDGET


def test_the_built_file_is_what_its_sources_make(node_modules: Path) -> None:
    done = subprocess.run(["npm", "run", "check"], cwd=WIDGET, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_file_is_small_and_whole() -> None:
    code = (WIDGET / "dist" / "kap-chat.js").read_bytes()
    assert len(gzip.compress(code, 9)) <= 15 * 1024
    for forbidden in (b"innerHTML", b"eval(", b"http://www.w3.org/1999"):
        assert forbidden not in code


def test_there_is_no_dependency_at_run_time() -> None:
    assert '"dependencies"' not in (WIDGET / "package.json").read_text(encoding="utf-8")

"""The rooms keep to their imports."""

import ast
from pathlib import Path

import pytest

from guide.paths import ROOT

MAY_IMPORT = {
    "guide": {"guide"},
    "components": {"components", "guide"},
    "actions": {"actions", "guide"},
    "channels": {"channels", "guide"},
    "stores": {"stores", "guide"},
    "evaluation": {"evaluation", "guide"},
}


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    for path in (ROOT / room).rglob("*.py"):
        assert imported(path) & set(MAY_IMPORT) <= MAY_IMPORT[room], path


def test_the_core_knows_nothing_of_rasa() -> None:
    for path in (ROOT / "guide").rglob("*.py"):
        assert not imported(path) & {"rasa", "rasa_sdk", "sanic"}, path

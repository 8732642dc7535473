"""The documents name tests and files that exist."""

import re
from pathlib import Path

import pytest

from guide.paths import ROOT

DOCUMENTS = [
    ROOT / name
    for name in (
        "SECURITY.md",
        "docs/compliance.md",
        "docs/privacy.md",
        "docs/deployment.md",
        "docs/turning-it-off.md",
        "docs/scaling.md",
    )
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|deploy|content|channels|stores|docs)/[\w./-]*)`", text))
    made = ("deploy/secrets", "deploy/acme")  # by the person who sets it up
    missing = [n for n in named if not n.startswith(made) and not (ROOT / n).exists()]
    assert not missing
    links = {link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)}
    local = [link for link in links if link and not link.startswith("http")]
    assert not [link for link in local if not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS[:2], ids=lambda path: path.name)
def test_every_row_names_a_test(document: Path) -> None:
    """Each threat and each requirement of the law has one."""
    text = document.read_text(encoding="utf-8").split("## Known vulnerabilities")[0]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    untested = [row for row in rows if "`tests/" not in row and not row.endswith("test |")]
    assert not [row for row in untested if "left to the clinic |" not in row]
    assert len(rows) > 10

"""How findings look in a terminal."""

from collections.abc import Iterable

import typer
from rich.console import Console

from guide.findings import LOOK, OK, WRONG, Finding

_MARKS = {OK: "[green]ok[/]   ", LOOK: "[yellow]look[/] ", WRONG: "[bold red]wrong[/]"}


def show_findings(found: Iterable[Finding]) -> None:
    """Show each finding as a line, with its remedy below; end with code 1 if something is wrong."""
    out = Console(highlight=False, soft_wrap=True)
    wrong = 0
    for finding in found:
        wrong += finding.state == WRONG
        out.print(f"{_MARKS[finding.state]} [bold]{finding.part}:[/] ", end="")
        out.print(finding.what, markup=False)
        if finding.remedy:
            out.print(f"      → {finding.remedy}", markup=False)
    if wrong:
        raise typer.Exit(1)

"""`kap-guide check`: the content contracts over every file."""

import typer

from guide.check import problems
from guide.command.common import console


def check() -> None:
    """Check every content file: form, sources, reading level, forbidden claims, buttons, dates."""
    found = problems()
    for line in found:
        console.print(line, style="red", markup=False, highlight=False)
    if found:
        console.print(f"{len(found)} problem{'s' if len(found) > 1 else ''}", style="bold red")
        raise typer.Exit(1)
    console.print("content: all contracts hold", style="green")

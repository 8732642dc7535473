"""`kap-guide doctor`: is this installation healthy, and what is to be done?"""

import typer
from rich.console import Console

from guide.doctor import LOOK, OK, WRONG, findings

_MARKS = {OK: "[green]ok[/]   ", LOOK: "[yellow]look[/] ", WRONG: "[bold red]wrong[/]"}


def doctor() -> None:
    """Look over configuration, secrets, database, Redis, model, crisis lines and reviews.

    Ends with 1 when something is wrong. Run it with the environment of the assistant.
    """
    out = Console(highlight=False, soft_wrap=True)
    wrong = 0
    for finding in findings():
        wrong += finding.state == WRONG
        out.print(f"{_MARKS[finding.state]} [bold]{finding.part}:[/] ", end="")
        out.print(finding.what, markup=False)
        if finding.remedy:
            out.print(f"      → {finding.remedy}", markup=False)
    if wrong:
        raise typer.Exit(1)

"""`kap-guide dialogues`: play written conversations through the real assistant."""

from pathlib import Path
from typing import List, Optional

import typer
from rich.console import Console
from rich.progress import track
from rich.text import Text

from guide.command.common import assistant_at, console, fail
from guide.command.show import show_replies
from guide.content import ContentError
from guide.dialogues import Dialogue, Exchange, load_dialogues, play
from guide.paths import ROOT
from guide.servers import ServerError


def dialogues(
    files: Optional[List[Path]] = typer.Argument(
        None, help="files of dialogues; all of tests/dialogues when none is named"
    ),
    server: Optional[str] = typer.Option(
        None, help="address of a running assistant; otherwise one is started"
    ),
) -> None:
    """Play dialogues live and show each failure as the conversation, up to where it went wrong."""
    try:
        loaded = [
            dialogue
            for path in files or sorted((ROOT / "tests" / "dialogues").glob("*.yml"))
            for dialogue in load_dialogues(path)
        ]
    except ContentError as error:
        fail(str(error))
    out = Console()
    failed = known = 0
    with assistant_at(server) as assistant:
        progress = track(
            loaded,
            description="playing",
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        for dialogue in progress:
            try:
                exchanges = play(dialogue, assistant)
            except ServerError as error:
                fail(f"{dialogue.name}: {error}")
            if exchanges[-1].wrong and dialogue.fault:
                known += 1
            elif exchanges[-1].wrong:
                failed += 1
                show_failure(out, dialogue, exchanges)
    passed = len(loaded) - failed - known
    out.print(f"{passed} passed, {known} with a known fault, {failed} failed")
    if failed:
        raise typer.Exit(1)


def show_failure(out: Console, dialogue: Dialogue, exchanges: List[Exchange]) -> None:
    """Show the conversation up to the step that failed, and what was wrong with it."""
    out.print(Text(f"✗ {dialogue.path.name}: {dialogue.name}", "bold red"))
    for exchange in exchanges:
        out.print(Text(f"> {exchange.said}", "bold"))
        show_replies(out, exchange.replies)
        for wrong in exchange.wrong:
            out.print(Text(f"  ✗ {wrong}", "red"))
    out.print()

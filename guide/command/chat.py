"""`kap-guide chat`: talk to the assistant in a terminal."""

import sys
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import typer
from prompt_toolkit import PromptSession
from prompt_toolkit.history import InMemoryHistory
from rich.console import Console

from guide.command.common import assistant_at, fail
from guide.command.show import show_replies, show_understanding
from guide.servers import Assistant, ServerError, Turn

HELP = "Type a question, or the number of a choice. Ctrl-D or /quit ends, /help shows this."


def chat(
    explain: bool = typer.Option(
        False, "--explain", help="show topic ranking and safety assessment of each turn"
    ),
    server: Optional[str] = typer.Option(
        None, help="address of a running assistant; otherwise one is started"
    ),
) -> None:
    """Talk to the assistant in this terminal. Nothing is kept: the history ends with the chat."""
    out = Console()
    with assistant_at(server) as assistant:
        out.print(f"[dim]{HELP}[/]\n")
        _converse(out, assistant, explain)


def _converse(out: Console, assistant: Assistant, explain: bool) -> None:
    # In memory only: what people type about their health does not belong into a file.
    prompt: Optional[PromptSession[str]] = (
        PromptSession(history=InMemoryHistory()) if sys.stdin.isatty() else None
    )
    conversation = f"chat-{uuid.uuid4().hex}"
    buttons: list[Mapping[str, Any]] = []
    while True:
        try:
            line = prompt.prompt("> ") if prompt else input()
        except KeyboardInterrupt:
            out.print("[dim]Ctrl-D or /quit ends the chat.[/]")
            continue
        except EOFError:
            return
        if line.strip() == "/quit":
            return
        if line.strip() == "/help":
            out.print(f"[dim]{HELP}[/]\n")
            continue
        try:
            turn = _turn(assistant, conversation, line, buttons)
        except ServerError as error:
            fail(str(error))
        buttons = show_replies(out, turn.replies)
        if explain:
            show_understanding(out, turn.understanding)


def _turn(
    assistant: Assistant, conversation: str, line: str, buttons: Sequence[Mapping[str, Any]]
) -> Turn:
    """Send `line`; the number of a button offered last presses it."""
    choice = line.strip()
    if choice.isdecimal() and 1 <= int(choice) <= len(buttons):
        return assistant.press(conversation, buttons[int(choice) - 1]["payload"])
    return assistant.send(conversation, line)

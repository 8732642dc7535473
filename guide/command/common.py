"""What the sub-commands share: a console for people, and how an assistant is found or started."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from guide.servers import Assistant, ServerError, running

console = Console(stderr=True)
"""For people; results go to standard output."""


def fail(message: str) -> NoReturn:
    """Show one clear line and end with code 2."""
    console.print(
        f"[bold red]kap-guide:[/] {message}", markup=True, highlight=False, soft_wrap=True
    )
    raise typer.Exit(2)


@contextmanager
def assistant_at(server: str | None) -> Iterator[Assistant]:
    """Give the assistant at the address `server`, or start one of our own on free ports."""
    if server:
        yield Assistant(server)
        return
    with ExitStack() as stack:
        try:
            with console.status("starting the assistant") as status:
                up = stack.enter_context(running(report=status.update))
        except ServerError as error:
            fail(str(error))
        yield up.assistant

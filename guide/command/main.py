"""Puts the sub-commands together."""

import signal
import sys
from typing import Any

import typer

from guide.command.ask import ask
from guide.command.chat import chat
from guide.command.check import check
from guide.command.dialogues import dialogues
from guide.command.doctor import doctor
from guide.command.keep import forget, new_key, purge, rekey
from guide.command.model_hash import model_hash
from guide.command.report import report
from guide.command.review import review
from guide.command.run import run
from guide.command.serve import app as serve
from guide.command.staff import slack, telegram
from guide.command.switch import notice, off, on
from guide.command.topic import app as topic_app

app = typer.Typer(
    help="KAP Guide: information about ketamine therapy, written and sourced beforehand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    run,
    chat,
    ask,
    dialogues,
    check,
    review,
    report,
    doctor,
    purge,
    forget,
    new_key,
    rekey,
    off,
    on,
    notice,
    model_hash,
):
    app.command()(command)
app.add_typer(topic_app, name="topic")
app.add_typer(serve, name="serve")
app.add_typer(slack, name="slack")
app.add_typer(telegram, name="telegram")


@app.callback()
def main() -> None:
    """KAP Guide: information about ketamine therapy, written and sourced beforehand."""
    # Ended by a supervisor, the command ends its servers as it does on Ctrl-C.
    signal.signal(signal.SIGTERM, _end)


def _end(signum: int, frame: Any) -> None:
    sys.exit(128 + signum)

"""`kap-guide serve`: one server in the foreground, as a container or a supervisor runs it."""

import os
import sys
from pathlib import Path

import typer

from guide.command.common import fail
from guide.light import is_wanted
from guide.model_hash import ModelHashError, check
from guide.paths import MODEL, ROOT
from guide.servers import HOST, environment, rasa_run

CREDENTIALS = ROOT / "deploy" / "credentials.yml"

app = typer.Typer(no_args_is_help=True, help="Run one server in the foreground, for production.")

_INTERFACE = typer.Option(HOST, help="address to listen on")


@app.command()
def assistant(
    interface: str = _INTERFACE,
    port: int = typer.Option(5005, envvar="PORT"),
    credentials: Path = typer.Option(CREDENTIALS, help="which channels there are"),
    light: bool = typer.Option(is_wanted, help="leave TensorFlow out (LIGHT=1 in the environment)"),
) -> None:
    """Run the assistant, after its model's hash was checked."""
    try:
        check(MODEL)
    except ModelHashError as error:
        fail(str(error))
    _become(
        *rasa_run(MODEL, interface, port, light),
        *("--endpoints", str(ROOT / "endpoints.yml"), "--credentials", str(credentials)),
        interface=interface,
    )


@app.command()
def actions(
    interface: str = _INTERFACE,
    port: int = typer.Option(5055, envvar="ACTION_PORT"),
) -> None:
    """Run the action server. It knows no passwords: never let it be reached from outside."""
    _become("rasa_sdk", "--actions", "actions", "--port", str(port), interface=interface)


def _become(*arguments: str, interface: str) -> None:
    """Replace this process by the server: signals reach it directly, and nothing is left over."""
    env = environment(int(os.environ.get("ACTION_PORT", "5055")), interface)
    os.chdir(ROOT)
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", *arguments], env)  # noqa: S606 (our own arguments)

"""`kap-guide run`: both servers on loopback until Ctrl-C."""

import time

import typer

from guide.command.common import console, fail
from guide.credentials import wanted
from guide.environment import SettingError
from guide.servers import ServerError, running


def run(
    port: int = typer.Option(5005, envvar="PORT", help="port of the assistant"),
    with_: str = typer.Option(
        "", "--with", envvar="WITH", help="staff channels to serve too: slack, telegram or both"
    ),
) -> None:
    """Start the assistant and its action server on loopback; Ctrl-C ends both."""
    try:
        staff = wanted(with_)
        with running(port, report=_report, kept=True, staff=staff) as up:
            url = up.assistant.url
            for name in staff:
                console.print(f"{name} is served below {url}/webhooks/{name}/", highlight=False)
            console.print(f"[bold green]KAP Guide answers. Its page:[/] {url}/webhooks/web/")
            console.print(
                "Talk to it in another terminal:  .venv/bin/kap-guide chat --server " + url,
                highlight=False,
            )
            console.print("Ctrl-C ends it.", highlight=False)
            while not up.actions.ended():
                up.rasa.require_alive()
                time.sleep(1)
            console.print(
                f"[bold red]the action server ended[/] (its log: {up.actions.log}); crisis replies "
                "go on, other questions get an apology. Ctrl-C, then start again."
            )
            while True:
                up.rasa.require_alive()
                time.sleep(1)
    except (ServerError, SettingError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        console.print("\nended")


def _report(step: str) -> None:
    console.print(f"[dim]{step} …[/]")

"""`kap-guide run`: both servers on loopback until Ctrl-C."""

import time

import typer

from guide.command.common import console, fail
from guide.servers import ServerError, running


def run(
    port: int = typer.Option(5005, envvar="PORT", help="port of the assistant"),
) -> None:
    """Start the assistant and its action server on loopback; Ctrl-C ends both."""
    try:
        with running(port, report=lambda step: console.print(f"[dim]{step} …[/]"), kept=True) as up:
            url = up.assistant.url
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
    except ServerError as error:
        fail(str(error))
    except KeyboardInterrupt:
        console.print("\nended")

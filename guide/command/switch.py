"""`kap-guide off`, `on`, `notice`: every answer becomes a notice with the crisis lines."""

from collections.abc import Callable

import typer
from redis.exceptions import RedisError  # type: ignore[import-untyped]

from guide.clinic import Clinic
from guide.command.common import console, fail
from guide.content import ContentError
from guide.environment import SettingError
from guide.notice import PROXY_FILE, notice_text, proxy_answer
from guide.paths import CONTENT
from guide.switch import LOOKED_UP_EVERY, Switch


def off(
    reason: str = typer.Option("no reason given", help="kept for staff; never shown to patients"),
) -> None:
    """Replace every answer, on every channel, by the static notice with the crisis lines."""
    _turn(lambda switch: switch.turn_off(reason))
    console.print(
        "[bold red]off:[/] every message is answered with the notice, at once on this machine, "
        f"within {LOOKED_UP_EVERY:.0f} seconds on the others. It says:"
    )
    print(_text())


def on() -> None:
    """Answer again."""
    _turn(lambda switch: switch.turn_on())
    console.print("[bold green]on:[/] messages are answered again")


def notice() -> None:
    """Write the notice for the proxy, which shows it when no assistant can be reached."""
    try:
        PROXY_FILE.write_text(proxy_answer(Clinic.load(CONTENT)), encoding="utf-8")
    except (ContentError, OSError) as error:
        fail(str(error))
    print(_text())


def _turn(turn: Callable[[Switch], None]) -> None:
    try:
        turn(Switch.from_environment())
    except RedisError as error:
        fail(
            f"this machine has turned, but Redis failed with {type(error).__name__}, so the others "
            "were not told; run this on each of them, or stop their assistants"
        )
    except (SettingError, OSError) as error:
        fail(f"{error}; stop the assistants instead: the proxy then shows the notice")


def _text() -> str:
    try:
        return notice_text(Clinic.load(CONTENT))
    except ContentError as error:
        fail(str(error))

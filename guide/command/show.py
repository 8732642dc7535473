"""How replies look in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

STYLES = {
    "answer": "green",
    "detail": "green",
    "sources": "cyan",
    "clarify": "yellow",
    "unknown": "yellow",
    "boundary": "magenta",
    "check_in": "bright_magenta",
    "crisis": "bold red",
    "error": "red",
    "notice": "red",
}


def show_replies(console: Console, replies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Show replies with their kinds; return the buttons offered, in the order of their numbers."""
    buttons: list[Mapping[str, Any]] = []
    for reply in replies:
        style = STYLES.get(reply["kind"], "blue")
        head = Text(reply["kind"].replace("_", " "), style)
        if reply.get("title") and reply["kind"] in ("answer", "detail"):
            head.append(f" · {reply['title']}", "bold")
        body = Text(reply["text"])
        if reply["kind"] == "crisis":
            console.print(Panel(body, title=head, border_style=style, width=min(console.width, 90)))
        else:
            console.print(head)
            console.print(Padding(body, (0, 0, 0, 2)), width=min(console.width, 90))
        for button in reply.get("buttons", ()):
            buttons.append(button)
            console.print(Text(f"  [{len(buttons)}] {button['title']}", "dim"))
        console.print()
    return buttons


def show_understanding(console: Console, understanding: Mapping[str, Any]) -> None:
    """Show how a message was understood: intent, topic ranking, safety."""
    safety = understanding["safety"]
    detectors = ", ".join(safety.get("detectors") or []) or "no detector"
    console.print(
        Text(
            f"  intent {understanding.get('intent')} · safety {safety['level']}"
            f" {safety.get('category') or ''} ({detectors})",
            "dim",
        )
    )
    for entry in understanding["topics"]:
        bar = "█" * round(20 * entry["confidence"])
        console.print(Text(f"  {entry['confidence']:5.2f} {bar:<20} {entry['topic']}", "dim"))
    console.print()

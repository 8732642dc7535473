"""`kap-guide topic new`: from a gap to a topic file."""

import typer

from guide.command.common import console, fail
from guide.command.report import load_groups
from guide.paths import FAQ
from guide.topic_draft import NAME, draft_topic

app = typer.Typer(help="Topic files.", no_args_is_help=True)


@app.callback()
def topic() -> None:
    """Topic files."""


@app.command()
def new(
    name: str = typer.Argument(..., help="name of the topic, such as pain_patches"),
    group: str = typer.Option(
        ..., "--from", metavar="ID", help="a group of gaps, as `kap-guide report` names it"
    ),
    weeks: int = typer.Option(12, min=1, max=520, help="how many weeks the report was about"),
) -> None:
    """Draft data/faq/NAME.yml from a group of gap questions, for a clinician to complete.

    Until every text in it is written, nobody is shown the topic.
    """
    if not NAME.fullmatch(name):
        fail(f"{name!r} is no name of a topic; use small letters, figures and _")
    path = FAQ / f"{name}.yml"
    if path.exists():
        fail(f"there is a topic {name!r} already: data/faq/{path.name}")
    groups = {found.id: found for found in load_groups(weeks)}
    if group not in groups:
        known = ", ".join(groups) or "there is none now"
        fail(f"there is no group {group!r}; `kap-guide report` shows them: {known}")
    chosen = groups[group]
    path.write_text(draft_topic(name, chosen.examples, chosen.offered), encoding="utf-8")
    console.print(
        f"[green]data/faq/{path.name}[/] drafted from {len(chosen.examples)} questions. "
        "What is missing: kap-guide check",
        highlight=False,
    )

"""`kap-guide review`: what has been approved, what is due, and recording an approval."""

import getpass
from datetime import date
from typing import Optional

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from ruamel.yaml import YAML

from guide.answer import Composer
from guide.command.common import fail
from guide.content import ContentError
from guide.paths import CONTENT, FAQ
from guide.reviews import by_urgency, is_overdue
from guide.topics import Topic, TopicLibrary


def review(
    topic: Optional[str] = typer.Argument(None, help="a topic to show as the patient sees it"),
    approve: Optional[str] = typer.Option(
        None, metavar="NAME", help="record that you, NAME, approve the topic's texts"
    ),
    due: Optional[str] = typer.Option(None, help="date by which to look again, e.g. 2027-11-01"),
) -> None:
    """List topics by review status and due date; show one; record an approval in its file."""
    try:
        composer = Composer.load(FAQ, CONTENT)
    except ContentError as error:
        fail(str(error))
    out = Console()
    if topic is None:
        if approve:
            fail("name the topic to approve, for example: kap-guide review bladder --approve NAME")
        list_topics(out, composer.library)
        return
    if topic not in composer.library:
        fail(f"there is no topic {topic!r}; `kap-guide review` lists them")
    if approve is None:
        show_topic(out, composer, topic)
        return
    if due is not None:
        try:
            date.fromisoformat(due)
        except ValueError:
            fail(f"--due {due!r} is no date; write it like 2027-11-01")
    show_topic(out, composer, topic)
    question = f"Record that {approve} (signed in as {getpass.getuser()}) approves this text?"
    if not typer.confirm(question):
        fail("nothing was recorded")
    record_approval(composer.library[topic], approve, due)
    out.print(f"[green]recorded in {composer.library[topic].path.name}[/]")


def list_topics(out: Console, library: TopicLibrary) -> None:
    """Show all topics: overdue first, then unreviewed, then approved by due date."""
    today = date.today()
    table = Table("topic", "status", "by", "on", "due", "title")
    for topic in by_urgency(library, today):
        late = is_overdue(topic, today)
        table.add_row(
            topic.key,
            topic.review.status,
            topic.review.by or "",
            topic.review.on or "",
            f"[red]{topic.review.due}[/]" if late else topic.review.due or "",
            topic.title,
        )
    out.print(table)
    approved = sum(topic.review.status == "approved" for topic in library.values())
    out.print(f"{approved} of {len(library)} topics approved")


def show_topic(out: Console, composer: Composer, key: str) -> None:
    """Show one topic as a patient sees it, with its sources and its review status."""
    topic = composer.library[key]
    out.rule(topic.title)
    for name, reply in (
        ("answer", composer.answer(key, 0)),
        ("tell me more", composer.detail(key)),
        ("simpler", composer.answer(key, 1, None, "simpler")),
        ("sources", composer.sources(key)),
    ):
        out.print(f"[bold]{name}[/]")
        out.print(Padding(reply.text, (0, 0, 1, 2)), width=min(out.width, 90), markup=False)
    for source in topic.sources:
        out.print(f"  {source.key}: read {source.read}, checked {source.checked}", highlight=False)
    out.print(f"status: {topic.review.status}, due: {topic.review.due}")


def record_approval(topic: Topic, name: str, due: Optional[str]) -> None:
    """Write the approval into the topic's file; comments and order of the file stay."""
    yaml = YAML()
    yaml.preserve_quotes = True  # type: ignore[assignment]  # its stub says None
    yaml.width = 120  # type: ignore[assignment]
    document = yaml.load(topic.path.read_text(encoding="utf-8"))
    document["responses"][f"utter_faq/{topic.key}"][0]["metadata"]["review"].update(
        {"status": "approved", "by": name, "on": date.today().isoformat(), "due": due}
    )
    with topic.path.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)

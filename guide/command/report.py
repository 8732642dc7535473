"""`kap-guide report`: what people asked, what found no answer, and what is due."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Optional

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from guide.clinic import Clinic
from guide.command.common import console, fail
from guide.content import ContentError
from guide.embedding import EncoderMissing
from guide.encoder_files import find_encoder
from guide.environment import SettingError
from guide.gap_groups import GapGroup
from guide.gaps import gap_store
from guide.paths import CONTENT, FAQ
from guide.report import Report, Row, first_monday, gap_groups, make_report
from guide.report_text import number, percent, total, week, when
from guide.topics import TopicLibrary

WEEKS_IN_A_TERMINAL = 4
MOST = 10


def report(
    weeks: int = typer.Option(12, min=1, max=520, help="how many weeks, this one included"),
    html: Optional[Path] = typer.Option(
        None, metavar="FILE", help="write one HTML file with plots instead"
    ),
    slack: bool = typer.Option(False, "--slack", help="print a digest for Slack, as JSON, instead"),
) -> None:
    """Show what people asked, top gaps, thumbs, crisis referrals as counts, and reviews due.

    Numbers below five are shown as "<5".
    """
    made, clinic = load_report(weeks)
    if html is not None:
        from guide.report_html import render_html

        try:
            html.write_text(render_html(made, str(clinic.settings["name"])), encoding="utf-8")
        except OSError as error:
            fail(f"{html}: {error.strerror}")
        console.print(f"[green]written to {html}[/]", highlight=False)
    elif slack:
        from guide.report_slack import slack_digest

        print(json.dumps(slack_digest(made), ensure_ascii=False))
    else:
        show_report(Console(), made)


def load_report(weeks: int) -> tuple[Report, Clinic]:
    """Return the figures of the last weeks, and the clinic's settings; fail with one line."""
    with clear_failures():
        library = TopicLibrary.load(FAQ, CONTENT / "sources.yml")
        clinic = Clinic.load(CONTENT)
        return make_report(gap_store(), library, clinic, find_encoder(), weeks), clinic


def load_groups(weeks: int) -> list[GapGroup]:
    """Return the groups of the report on the last weeks; fail with one line."""
    with clear_failures():
        library = TopicLibrary.load(FAQ, CONTENT / "sources.yml")
        since = first_monday(date.today(), weeks)
        return gap_groups(gap_store(), library, find_encoder(), since)


@contextmanager
def clear_failures() -> Iterator[None]:
    """End the command with one line where content, settings, encoder or database fail."""
    try:
        yield
    except (ContentError, SettingError, EncoderMissing) as error:
        fail(str(error))
    except SQLAlchemyError as error:
        # The type alone: the message of a database quotes values.
        fail(f"the database of gaps fails ({type(error).__name__}); check DATABASE_URL or DATA_DIR")


def show_report(out: Console, made: Report) -> None:
    """Show the figures in a terminal."""
    rates = made.rates
    out.rule(f"What people asked, {made.since} to {made.until}")
    out.print(
        f"{number(rates.questions)} questions: {percent(rates.answered)} answered, "
        f"{percent(rates.clarified)} topics offered ({percent(made.picked)} of them picked), "
        f"{percent(rates.unanswered)} no answer. “Not what I asked”: {number(made.complaints)}.",
        highlight=False,
    )
    out.rule("Gaps")
    for gap in made.gaps[:MOST]:
        out.print(Text.assemble((f"{number(gap.number):>4}×  ", "bold yellow"), gap.examples[0]))
        for example in gap.examples[1:]:
            out.print(Padding(Text(example, "dim"), (0, 0, 0, 7)))
        near = f"{gap.id}" + (f"  near: {' · '.join(gap.offered)}" if gap.offered else "")
        out.print(Padding(Text(near, "cyan"), (0, 0, 0, 7)))
    out.print("From a gap to a topic: kap-guide topic new NAME --from ID" if made.gaps else "none")
    _show_rows(out, "Questions per topic", made, made.topics[:MOST])
    if made.thumbs:
        out.rule("Did it help?")
        table = Table("topic", "helped", "did not")
        for thumbs in made.thumbs[:MOST]:
            table.add_row(thumbs.title, number(thumbs.helped), number(thumbs.not_helped))
        out.print(table)
    _show_rows(out, f"Crisis replies: {total(made.crisis_replies)}", made, made.referrals)
    out.rule("Reviews")
    out.print(f"{made.approved} of {made.library_size} topics are approved.", highlight=False)
    for due in made.due:
        out.print(Text(f"{due.on}  {due.name} ({when(due)})", "red" if due.days < 0 else ""))


def _show_rows(out: Console, title: str, made: Report, rows: tuple[Row, ...]) -> None:
    out.rule(title)
    latest = made.weeks[-WEEKS_IN_A_TERMINAL:]
    table = Table("week of", *map(week, latest), f"{len(made.weeks)} weeks")
    for row in rows:
        table.add_row(row.name, *map(number, row.cells[-WEEKS_IN_A_TERMINAL:]), total(row))
    out.print(table)

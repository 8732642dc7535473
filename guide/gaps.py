"""What people could not get answered, and how often what was said, in a database.

A line is a redacted question with its day and topics. Nothing in it tells whose it is: no name, no
conversation, no channel, no time of day. Lines live for some weeks; counts hold no words and stay.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from guide.database import engine_for, overwrite_log
from guide.environment import database_url, number
from guide.redaction import redact

UNANSWERED = "unanswered"
CLARIFY = "clarify"
COMPLAINT = "complaint"
UNHELPFUL = "unhelpful"
LINE_KINDS = (UNANSWERED, CLARIFY, COMPLAINT, UNHELPFUL)
"""Why a line was left: no answer; topics offered and none picked; a complaint; a thumb down."""

HELPFUL = "helpful"
PICKED = "picked"
"""Counted beside the line kinds and the kinds of replies, without a line of their own."""

MAX_TEXT = 300
RETENTION_DAYS = 30

_metadata = MetaData()
_lines = Table(
    "gap_lines",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Date, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("topic", String(64)),
    Column("offered", JSON, nullable=False),
)
_counts = Table(
    "gap_counts",
    _metadata,
    Column("day", Date, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
)


@dataclass(frozen=True)
class GapLine:
    """One question that found no answer, or not the right one.

    Attributes:
        day: when.
        kind: one of LINE_KINDS.
        text: what was asked, redacted by the store; "" where a button had been pressed.
        topic: the topic that was told instead, if any.
        offered: the topics that were offered.
    """

    day: date
    kind: str
    text: str
    topic: str | None = None
    offered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count:
    """How often something happened on a day.

    Attributes:
        day: when.
        kind: the kind of a reply, one of LINE_KINDS, HELPFUL or PICKED.
        subject: the topic; of a crisis, check-in or boundary the category; else "".
        number: how often.
    """

    day: date
    kind: str
    subject: str
    number: int


class GapStore:
    """Lines and counts in SQLite or PostgreSQL; the tables are made when they are first needed.

    Every method raises sqlalchemy.exc.SQLAlchemyError when the database fails, after seconds.
    """

    def __init__(self, url: str, retention_days: int) -> None:
        self._engine = engine_for(url)
        self._retention = timedelta(days=retention_days)
        self._has_tables = False
        self._purged: date | None = None

    def add(self, line: GapLine) -> None:
        """Keep a line, its text redacted and cut. The first of a day drops what is too old."""
        with self._connection() as connection:
            connection.execute(
                _lines.insert().values(
                    day=line.day,
                    kind=line.kind,
                    text=kept_text(line.text),
                    topic=line.topic,
                    offered=list(line.offered),
                )
            )
        if self._purged != line.day:
            self.purge(line.day - self._retention)
            self._purged = line.day

    def withdraw(self, since: date, kinds: Iterable[str], texts: Iterable[str]) -> int:
        """Drop the lines of these kinds and texts (as they were typed); return how many."""
        with self._connection() as connection:
            found = connection.execute(
                _lines.delete()
                .where(_lines.c.day >= since)
                .where(_lines.c.kind.in_(list(kinds)))
                .where(_lines.c.text.in_([kept_text(text) for text in texts]))
            )
        overwrite_log(self._engine)
        return int(found.rowcount)

    def count(self, day: date, numbers: Mapping[tuple[str, str], int]) -> None:
        """Add to the counts of a day; the keys are pairs of kind and subject."""
        with self._connection() as connection:
            dialect = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name]
            for (kind, subject), number in numbers.items():
                added = dialect.insert(_counts).values(
                    day=day, kind=kind, subject=subject, number=number
                )
                connection.execute(
                    added.on_conflict_do_update(
                        index_elements=["day", "kind", "subject"],
                        set_={"number": _counts.c.number + added.excluded.number},
                    )
                )

    def lines(self, since: date) -> list[GapLine]:
        """Return the lines from a day on, oldest first."""
        with self._connection() as connection:
            rows = connection.execute(
                _lines.select().where(_lines.c.day >= since).order_by(_lines.c.day, _lines.c.id)
            )
            return [
                GapLine(row.day, row.kind, row.text, row.topic, tuple(row.offered)) for row in rows
            ]

    def counts(self, since: date) -> list[Count]:
        """Return the counts from a day on."""
        with self._connection() as connection:
            rows = connection.execute(_counts.select().where(_counts.c.day >= since))
            return [Count(row.day, row.kind, row.subject, row.number) for row in rows]

    def purge(self, before: date) -> int:
        """Drop the lines from before a day; return how many. Counts stay: they hold no words."""
        with self._connection() as connection:
            found = connection.execute(_lines.delete().where(_lines.c.day < before))
        overwrite_log(self._engine)
        return int(found.rowcount)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if not self._has_tables:
            _metadata.create_all(self._engine)
            self._has_tables = True
        with self._engine.begin() as connection:
            yield connection


def gap_store() -> GapStore:
    """Return the store that the environment names; it is opened when it is first used.

    Raises:
        guide.environment.SettingError: a setting is wrong.
    """
    return GapStore(database_url("gaps.db"), int(number("RETENTION_DAYS", RETENTION_DAYS)))


def kept_text(typed: str) -> str:
    """Return what of a typed text may be kept: redacted, on one line, not long."""
    printable = "".join(sign if sign.isprintable() else " " for sign in redact(typed))
    return " ".join(printable.split())[:MAX_TEXT]

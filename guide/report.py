"""The figures that a clinic learns from: what was asked, what found no answer, what is due.

Small numbers could point to a person, so none below five leaves this module: such a number is
None here, and whoever shows it writes "<5". Shares that would tell such a number are None too.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from guide.categories import CHECK_IN_CATEGORIES, CRISIS_CATEGORIES
from guide.check import checked_dates
from guide.clinic import Clinic
from guide.gap_groups import Encoder, GapGroup, group_lines
from guide.gaps import COMPLAINT, HELPFUL, PICKED, UNHELPFUL, Count, GapStore
from guide.topics import TopicLibrary

SMALLEST = 5
DUE_DAYS = 60
EXAMPLES = 4

Cell = int | None
"""A number as it may be shown; None is one below five, but not zero."""

QUESTION_KINDS = ("answer", "clarify", "unknown", "boundary")
"""The kinds of reply that a question can get."""

_REFERRAL_NAMES = {
    **{("crisis", key): name for key, name in CRISIS_CATEGORIES.items()},
    **{("check_in", key): f"Check-in: {name}" for key, name in CHECK_IN_CATEGORIES.items()},
}


@dataclass(frozen=True)
class Row:
    """Numbers of one thing, week by week."""

    key: str
    name: str
    cells: tuple[Cell, ...]

    @property
    def shown(self) -> int:
        """The sum of the numbers that are shown; a true sum would tell a single hidden one."""
        return sum(cell or 0 for cell in self.cells)

    @property
    def hides(self) -> bool:
        """Whether a number of the row is below five."""
        return None in self.cells


@dataclass(frozen=True)
class Rates:
    """What became of the questions of a time: shares between 0 and 1, None where numbers are small.

    Attributes:
        questions: how many there were.
        answered: share with an answer.
        clarified: share where topics were offered instead.
        unanswered: share without an answer.
    """

    questions: Cell
    answered: float | None
    clarified: float | None
    unanswered: float | None


@dataclass(frozen=True)
class Thumbs:
    """How often the answer on a topic helped, and did not."""

    topic: str
    title: str
    helped: Cell
    not_helped: Cell


@dataclass(frozen=True)
class Gap:
    """A group of questions without a good answer.

    Attributes:
        id: for `kap-guide topic new NAME --from ID`.
        number: how often it was asked.
        examples: redacted questions, the most typical first.
        offered: titles of the topics that were offered or told instead.
    """

    id: str
    number: Cell
    examples: tuple[str, ...]
    offered: tuple[str, ...]


@dataclass(frozen=True)
class Due:
    """Something that has to be looked at again; `days` from today, negative when it is past."""

    name: str
    on: date
    days: int


@dataclass(frozen=True)
class Report:
    """All figures from the Monday `since` to the day `until`; `weeks` are the Mondays."""

    since: date
    until: date
    weeks: tuple[date, ...]
    rates: Rates
    weekly_rates: tuple[Rates, ...]
    picked: float | None
    complaints: Cell
    topics: tuple[Row, ...]
    gaps: tuple[Gap, ...]
    thumbs: tuple[Thumbs, ...]
    referrals: tuple[Row, ...]
    crisis_replies: Row
    due: tuple[Due, ...]
    approved: int
    library_size: int


def first_monday(today: date, weeks: int) -> date:
    """Return the Monday that the last `weeks` weeks begin with, this one included."""
    return today - timedelta(days=today.weekday(), weeks=weeks - 1)


def make_report(
    store: GapStore,
    library: TopicLibrary,
    clinic: Clinic,
    encoder: Encoder,
    weeks: int,
    today: date | None = None,
) -> Report:
    """Return the figures of the last `weeks` weeks, the present one included.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database fails.
    """
    today = today or date.today()
    first = first_monday(today, weeks)
    mondays = tuple(first + timedelta(weeks=week) for week in range(weeks))
    counts = [count for count in store.counts(mondays[0]) if count.day <= today]
    by_kind = Counter[str]()
    for count in counts:
        by_kind[count.kind] += count.number
    clarified = by_kind["clarify"]
    referrals = _referrals(counts, mondays)
    return Report(
        since=mondays[0],
        until=today,
        weeks=mondays,
        rates=_rates(counts),
        weekly_rates=tuple(
            _rates([count for count in counts if _week(count) == week]) for week in mondays
        ),
        picked=_share(min(by_kind[PICKED], clarified), clarified),
        complaints=_cell(by_kind[COMPLAINT]),
        topics=_topics(counts, mondays, library),
        gaps=tuple(
            _gap(group, library) for group in gap_groups(store, library, encoder, mondays[0])
        ),
        thumbs=_thumbs(counts, library),
        referrals=referrals,
        crisis_replies=_sum_of(
            tuple(c for row in referrals if row.key.startswith("crisis/") for c in row.cells),
            by_kind["crisis"],
        ),
        due=_due(library, clinic, today),
        approved=sum(topic.review.status == "approved" for topic in library.values()),
        library_size=len(library),
    )


def gap_groups(
    store: GapStore, library: TopicLibrary, encoder: Encoder, since: date
) -> list[GapGroup]:
    """Return the lines from a day on in groups, largest first. Raises as `make_report`."""
    titles = [topic.title for topic in library.values() if not topic.unwritten]
    return group_lines(store.lines(since), encoder, titles)


def _cell(number: int) -> Cell:
    return number if number == 0 or number >= SMALLEST else None


def _share(part: int, whole: int) -> float | None:
    """Return the share, unless it or the rest is a small number."""
    if whole == 0 or _cell(part) is None or _cell(whole - part) is None:
        return None
    return part / whole


def _week(count: Count) -> date:
    return count.day - timedelta(days=count.day.weekday())


def _row(key: str, name: str, counts: Iterable[Count], mondays: Sequence[date]) -> Row:
    numbers = Counter[date]()
    for count in counts:
        numbers[_week(count)] += count.number
    return Row(key, name, tuple(_cell(numbers[week]) for week in mondays))


def _rates(counts: Iterable[Count]) -> Rates:
    numbers = Counter[str]()
    for count in counts:
        numbers[count.kind] += count.number
    questions = sum(numbers[kind] for kind in QUESTION_KINDS)
    return Rates(
        _cell(questions),
        *(_share(numbers[kind], questions) for kind in ("answer", "clarify", "unknown")),
    )


def _title(key: str, library: TopicLibrary) -> str:
    return library[key].title if key in library else key


def _topics(
    counts: Sequence[Count], mondays: Sequence[date], library: TopicLibrary
) -> tuple[Row, ...]:
    """Return the questions of each topic, most asked first."""
    answers = [count for count in counts if count.kind == "answer"]
    totals = Counter[str]()
    for count in answers:
        totals[count.subject] += count.number
    return tuple(
        _row(key, _title(key, library), (c for c in answers if c.subject == key), mondays)
        for key, _ in totals.most_common()
    )


def _thumbs(counts: Iterable[Count], library: TopicLibrary) -> tuple[Thumbs, ...]:
    """Return the thumbs of each topic, most thumbs down first."""
    numbers = {HELPFUL: Counter[str](), UNHELPFUL: Counter[str]()}
    for count in counts:
        if count.kind in numbers:
            numbers[count.kind][count.subject] += count.number
    up, down = numbers[HELPFUL], numbers[UNHELPFUL]
    ranked = sorted({*up, *down}, key=lambda key: (-down[key], -up[key], key))
    return tuple(
        Thumbs(key, _title(key, library), _cell(up[key]), _cell(down[key])) for key in ranked
    )


def _referrals(counts: Sequence[Count], mondays: Sequence[date]) -> tuple[Row, ...]:
    """Return crisis replies and check-ins by category; every category, also one without any."""
    names = dict(_REFERRAL_NAMES)
    for count in counts:
        if count.kind in ("crisis", "check_in"):
            names.setdefault((count.kind, count.subject), count.subject)
    return tuple(
        _row(
            f"{kind}/{category}",
            name,
            (c for c in counts if (c.kind, c.subject) == (kind, category)),
            mondays,
        )
        for (kind, category), name in names.items()
    )


def crisis_replies(
    store: GapStore, since: date, categories: Iterable[str]
) -> tuple[Mapping[str, Cell], Row]:
    """Return the crisis replies from a day on, by category and in all, for everybody to see.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database fails.
    """
    numbers = Counter[str]()
    for count in store.counts(since):
        if count.kind == "crisis":
            numbers[count.subject] += count.number
    shown = {key: _cell(numbers[key]) for key in {**dict.fromkeys(categories), **numbers}}
    return shown, _sum_of(tuple(shown.values()), sum(numbers.values()))


def _sum_of(cells: tuple[Cell, ...], number: int) -> Row:
    """Return the sum of crisis replies; its parts instead where it would tell the one hidden."""
    tells = cells.count(None) == 1 and number >= SMALLEST
    return Row("crisis", "Crisis replies", cells if tells else (_cell(number),))


def _gap(group: GapGroup, library: TopicLibrary) -> Gap:
    return Gap(
        group.id,
        _cell(len(group.lines)),
        group.examples[:EXAMPLES],
        tuple(_title(key, library) for key in group.offered),
    )


def _due(library: TopicLibrary, clinic: Clinic, today: date) -> tuple[Due, ...]:
    """Return what has to be looked at within DUE_DAYS, or should have been, soonest first."""
    dates = {
        topic.title: date.fromisoformat(topic.review.due)
        for topic in library.values()
        if topic.review.due
    }
    limit = timedelta(days=clinic.settings["max_age_days"])
    for place, checked in checked_dates(clinic).items():
        dates[place] = date.fromisoformat(checked) + limit
    found = [Due(name, on, (on - today).days) for name, on in dates.items()]
    return tuple(sorted((due for due in found if due.days <= DUE_DAYS), key=lambda due: due.on))

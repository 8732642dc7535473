"""The report tells what a clinic needs, and no number that could point to a person."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from guide.answer import Composer
from guide.gaps import HELPFUL, PICKED, UNANSWERED, UNHELPFUL, GapLine, GapStore
from guide.report import Cell, Report, make_report
from guide.report_html import render_html
from guide.report_slack import slack_digest
from guide.report_text import number, total
from guide.topics import TopicLibrary
from tests.guide.gap_sample import fill

TODAY = date(2026, 11, 18)  # a Wednesday


class Alike:
    """An encoder for which texts are alike when they begin with the same word."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), 384), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[sum(map(ord, text.split()[0].lower())) % 384] = 1
        return rows


@pytest.fixture
def store(tmp_path: Path) -> GapStore:
    """A new store."""
    return GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)


def report_of(store: GapStore, composer: Composer, weeks: int = 4) -> Report:
    return make_report(store, composer.library, composer.clinic, Alike(), weeks, TODAY)


@pytest.fixture
def full(store: GapStore, composer: Composer) -> Report:
    """The report of the invented clinic."""
    fill(store, TODAY)
    return report_of(store, composer, 12)


def cells(made: Report) -> Iterator[Cell]:
    """Yield every number of a report."""
    for row in (*made.topics, *made.referrals):
        yield from row.cells
    for thumbs in made.thumbs:
        yield from (thumbs.helped, thumbs.not_helped)
    yield from (gap.number for gap in made.gaps)
    yield from (rates.questions for rates in (made.rates, *made.weekly_rates))
    yield from made.crisis_replies.cells
    yield made.complaints


KINDS = st.sampled_from(
    [
        ("answer", "bladder"),
        ("answer", "cost"),
        ("clarify", ""),
        ("unknown", ""),
        ("boundary", "dose"),
        ("crisis", "suicide"),
        ("crisis", "a new one"),
        ("check_in", "past"),
        ("complaint", "cost"),
        (PICKED, "cost"),
        (HELPFUL, "cost"),
        (UNHELPFUL, "cost"),
    ]
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(
    counted=st.lists(st.tuples(KINDS, st.integers(0, 30), st.integers(1, 40)), max_size=25),
    asked=st.lists(st.sampled_from(["dog a", "dog b", "plane", "lens a"]), max_size=12),
)
def test_no_small_number_can_be_read_off(
    tmp_path: Path,
    composer: Composer,
    counted: list[tuple[tuple[str, str], int, int]],
    asked: list[str],
) -> None:
    file = tmp_path / "any.db"
    file.unlink(missing_ok=True)
    store = GapStore(f"sqlite:///{file}", 30)
    for key, back, count in counted:
        store.count(TODAY - timedelta(days=back), {key: count})
    for text in asked:
        store.add(GapLine(TODAY, UNANSWERED, text))
    made = report_of(store, composer)
    assert all(cell is None or cell == 0 or cell >= 5 for cell in cells(made))
    for rates in (made.rates, *made.weekly_rates):
        for share in (rates.answered, rates.clarified, rates.unanswered):
            if share is not None:
                assert rates.questions is not None
                part = round(share * rates.questions)
                assert part == 0 or part >= 5
                assert part == rates.questions or rates.questions - part >= 5
    # A true sum beside a single hidden number would tell it.
    for row in (*made.topics, *made.referrals):
        assert total(row) == str(row.shown) if not row.hides else not total(row).isdecimal()
    assert "None" not in json.dumps(slack_digest(made))


def test_questions_are_counted_by_topic_and_week(store: GapStore, composer: Composer) -> None:
    store.count(date(2026, 11, 16), {("answer", "bladder"): 6})
    store.count(date(2026, 11, 15), {("answer", "bladder"): 7, ("answer", "cost"): 4})
    store.count(date(2026, 10, 25), {("answer", "bladder"): 99})  # before the first Monday
    made = report_of(store, composer)
    assert [week.isoformat() for week in made.weeks] == [
        "2026-10-26",
        "2026-11-02",
        "2026-11-09",
        "2026-11-16",
    ]
    assert [(row.key, row.cells) for row in made.topics] == [
        ("bladder", (0, 0, 7, 6)),
        ("cost", (0, 0, None, 0)),
    ]
    assert made.topics[0].name == composer.library["bladder"].title
    assert [total(row) for row in made.topics] == ["13", "0+"]


def test_rates_are_shares_of_the_questions(store: GapStore, composer: Composer) -> None:
    store.count(
        TODAY,
        {("answer", "cost"): 60, ("clarify", ""): 20, ("unknown", ""): 10, ("boundary", "dose"): 10}
        | {("smalltalk", ""): 50, (PICKED, "cost"): 15, ("crisis", "suicide"): 6},
    )
    made = report_of(store, composer)
    rates = made.rates
    assert (rates.questions, rates.answered, rates.clarified, rates.unanswered) == (
        100,
        0.6,
        0.2,
        0.1,
    )
    assert made.picked == 0.75
    assert total(made.crisis_replies) == "6"


def test_every_category_of_referral_is_a_row_also_an_unforeseen_one(
    store: GapStore, composer: Composer
) -> None:
    store.count(TODAY, {("crisis", "suicide"): 5, ("crisis", "new"): 5, ("check_in", "past"): 2})
    rows = {row.key: row.cells[-1] for row in report_of(store, composer).referrals}
    assert rows["crisis/suicide"] == 5
    assert rows["crisis/abuse"] == 0
    assert rows["crisis/new"] == 5
    assert rows["check_in/past"] is None


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [((), "0"), ((3,), "<5"), ((8,), "8"), ((8, 3), "8+"), ((8, 3, 3), "14"), ((3, 3), "6")],
)
def test_the_sum_of_the_crisis_replies_tells_no_single_hidden_number(
    store: GapStore, composer: Composer, numbers: tuple[int, ...], shown: str
) -> None:
    for category, number_of in zip(("suicide", "means", "abuse"), numbers, strict=False):
        store.count(TODAY, {("crisis", category): number_of})
    assert total(report_of(store, composer, 2).crisis_replies) == shown


def test_gaps_come_largest_first_with_their_words(store: GapStore, composer: Composer) -> None:
    for text in ("lens one", "dog one", "dog two", "dog three", "dog one", "dog four", "dog five"):
        store.add(GapLine(TODAY, UNANSWERED, text, None, ("bladder",)))
    first, second = report_of(store, composer).gaps
    assert (first.number, second.number) == (6, None)
    assert len(first.examples) == 4
    assert second.examples == ("lens one",)
    assert first.offered == (composer.library["bladder"].title,)


def test_reviews_due_and_past_are_listed(store: GapStore, composer: Composer) -> None:
    def due(key: str, on: date) -> None:
        topic = composer.library[key]
        review = replace(topic.review, status="approved", due=on.isoformat())
        topics[key] = replace(topic, review=review)

    topics = dict(composer.library)
    due("bladder", TODAY - timedelta(days=3))
    due("cost", TODAY + timedelta(days=10))
    due("nausea", TODAY + timedelta(days=300))
    made = make_report(store, TopicLibrary(topics), composer.clinic, Alike(), 1, TODAY)
    days = {entry.name: entry.days for entry in made.due}
    assert days[topics["bladder"].title] == -3
    assert days[topics["cost"].title] == 10
    assert topics["nausea"].title not in days
    assert made.approved >= 3


def test_an_empty_store_makes_an_empty_report(store: GapStore, composer: Composer) -> None:
    made = report_of(store, composer)
    assert made.rates.questions == 0
    assert made.rates.answered is None
    assert (made.topics, made.gaps, made.thumbs) == ((), (), ())
    assert "None in this time" in render_html(made, "Clinic")


# The page


class Page(HTMLParser):
    """Notes what a page would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [
            value or ""
            for name, value in attributes
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#")
        ]


def test_the_page_needs_nothing_else_and_runs_nothing(full: Report) -> None:
    html = render_html(full, "Clinic & Co <b>")
    page = Page(html)
    assert page.loads == []
    assert "script" not in page.tags
    assert "svg" in page.tags
    assert "@import" not in html
    assert "Clinic &amp; Co &lt;b&gt;" in html


def test_what_was_asked_is_only_ever_text(store: GapStore, composer: Composer) -> None:
    store.add(GapLine(TODAY, UNANSWERED, "<script>alert(1)</script> <!channel> & so on"))
    made = report_of(store, composer)
    assert "<script>" not in render_html(made, "Clinic")
    for text in ("plane x",) * 5:
        store.add(GapLine(TODAY, UNANSWERED, f"{text} <!channel> <https://x.example|y>"))
    digest = json.dumps(slack_digest(report_of(store, composer)))
    assert "<!channel>" not in digest
    assert "<https" not in digest


# The digest


def test_the_digest_is_what_slack_takes(full: Report) -> None:
    digest = slack_digest(full)
    assert len(digest["blocks"]) <= 50
    assert digest["blocks"][0]["type"] == "header"
    assert len(digest["blocks"][0]["text"]["text"]) <= 150
    for block in digest["blocks"]:
        if block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= 3000
    json.dumps(digest)


def test_the_digest_holds_no_words_of_a_small_group(store: GapStore, composer: Composer) -> None:
    for text in ["dog one"] * 5 + ["lens one"] * 4:
        store.add(GapLine(TODAY, UNANSWERED, text))
    digest = json.dumps(slack_digest(report_of(store, composer)))
    assert "dog one" in digest
    assert "lens" not in digest


def test_the_digest_stays_within_the_limits_with_long_words(
    store: GapStore, composer: Composer
) -> None:
    for word in "abcdefgh":
        for _ in range(6):
            store.add(GapLine(TODAY, UNANSWERED, f"{word * 9} " + "&<" * 140))
    for block in slack_digest(report_of(store, composer))["blocks"]:
        if block["type"] == "section":
            assert len(block["text"]["text"]) <= 3000
            assert not re.search(r"&(?!amp;|lt;)", block["text"]["text"]), "a sign was cut in two"


def test_numbers_are_written_so_that_small_ones_stay_small() -> None:
    assert [number(cell) for cell in (None, 0, 5, 1200)] == ["<5", "0", "5", "1200"]

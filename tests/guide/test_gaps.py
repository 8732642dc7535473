"""The store keeps what it may, adds counts up, and forgets in time."""

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError

from guide.feedback import Feedback, feedback_buttons, read_feedback
from guide.gaps import MAX_TEXT, UNANSWERED, GapLine, GapStore, gap_store
from guide.reply import Reply
from tests.services import Postgres

TODAY = date(2026, 11, 18)


@pytest.fixture
def store(database: str) -> GapStore:
    """A new store on either database."""
    return GapStore(database, retention_days=30)


@pytest.fixture
def file_store(tmp_path: Path) -> GapStore:
    """A new store whose file can be looked into."""
    return GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", retention_days=30)


def test_a_line_comes_back_as_it_was(store: GapStore) -> None:
    line = GapLine(TODAY, "clarify", "it hurts", None, ("bladder", "nausea"))
    store.add(line)
    assert store.lines(TODAY) == [line]
    assert store.lines(TODAY + timedelta(days=1)) == []


def test_nothing_that_points_to_a_person_reaches_the_disk(
    file_store: GapStore, tmp_path: Path
) -> None:
    typed = "I am Jo Miller, born 3 May 1984, jo@miller.example, 212-555-0188"
    file_store.add(GapLine(TODAY, UNANSWERED, typed))
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"[name]" in kept
    for words in (b"Miller", b"1984", b"jo@", b"0188"):
        assert words not in kept


def test_a_line_has_no_place_for_an_identity_or_a_time_of_day(store: GapStore) -> None:
    store.add(GapLine(TODAY, UNANSWERED, "can my dog come?"))
    [row] = [vars(line) for line in store.lines(TODAY)]
    assert set(row) == {"day", "kind", "text", "topic", "offered"}
    assert type(row["day"]) is date


def test_what_is_withdrawn_is_overwritten_in_every_file(
    file_store: GapStore, tmp_path: Path
) -> None:
    file_store.add(GapLine(TODAY, UNANSWERED, "all of them are in front of me"))
    assert file_store.withdraw(TODAY, [UNANSWERED], ["all of  them are in front of me"]) == 1
    assert file_store.lines(TODAY) == []
    for file in tmp_path.iterdir():
        assert b"in front of me" not in file.read_bytes()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(text=st.text(max_size=700))
def test_any_text_can_be_kept_and_withdrawn(store: GapStore, text: str) -> None:
    store.add(GapLine(TODAY, UNANSWERED, text))
    [line] = store.lines(TODAY)
    assert len(line.text) <= MAX_TEXT
    assert "\n" not in line.text
    assert store.withdraw(TODAY, [UNANSWERED], [text]) == 1


def test_counts_add_up_over_processes(database: str) -> None:
    stores = [GapStore(database, 30) for _ in range(4)]
    stores[0].counts(TODAY)  # the tables are there

    def count(store: GapStore) -> None:
        for _ in range(10):
            store.count(TODAY, {("answer", "bladder"): 1, ("crisis", "suicide"): 2})

    threads = [threading.Thread(target=count, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = {(c.kind, c.subject): c.number for c in stores[0].counts(TODAY)}
    assert numbers == {("answer", "bladder"): 40, ("crisis", "suicide"): 80}


def test_lines_go_after_their_time_without_any_command_and_counts_stay(store: GapStore) -> None:
    store.add(GapLine(TODAY - timedelta(days=31), UNANSWERED, "an old one"))
    store.add(GapLine(TODAY - timedelta(days=30), UNANSWERED, "just inside"))
    store.count(TODAY - timedelta(days=400), {("crisis", "suicide"): 1})
    store.add(GapLine(TODAY, UNANSWERED, "a new one"))
    assert [line.text for line in store.lines(date.min)] == ["just inside", "a new one"]
    assert len(store.counts(date.min)) == 1


def test_purge_drops_what_is_from_before_a_day(store: GapStore) -> None:
    for back in (2, 1, 0):
        store.add(GapLine(TODAY - timedelta(days=back), UNANSWERED, f"{back} days ago"))
    assert store.purge(TODAY) == 2
    assert [line.text for line in store.lines(date.min)] == ["0 days ago"]


def test_a_database_that_comes_back_is_used_again(postgres: Postgres) -> None:
    store = GapStore(postgres.url, 30)
    before = sum(count.number for count in store.counts(date.min))
    postgres.stop()
    with pytest.raises(SQLAlchemyError):
        store.count(TODAY, {("answer", "bladder"): 1})
    postgres.start()
    store.count(TODAY, {("answer", "bladder"): 1})
    assert sum(count.number for count in store.counts(date.min)) == before + 1


def test_the_environment_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RETENTION_DAYS", "2")
    store = gap_store()
    store.add(GapLine(TODAY - timedelta(days=3), UNANSWERED, "too old"))
    store.add(GapLine(TODAY, UNANSWERED, "new"))
    assert [line.text for line in store.lines(date.min)] == ["new"]
    assert (tmp_path / "gaps.db").is_file()


# Thumbs


def test_only_an_answer_can_be_judged() -> None:
    answer = Reply("answer", "It can.", topic="bladder")
    read = [read_feedback(button.payload) for button in feedback_buttons(answer)]
    assert read == [Feedback("bladder", True), Feedback("bladder", False)]
    assert feedback_buttons(Reply("detail", "More.", topic="bladder")) == ()
    assert feedback_buttons(Reply("crisis", "Call 988.", category="suicide")) == ()


@pytest.mark.parametrize(
    "payload", ["/tell_more", "/feedback", "/feedback{", "/feedback{}", '/feedback{"topic": "x"}']
)
def test_another_payload_is_no_judgement(payload: str) -> None:
    assert read_feedback(payload) is None

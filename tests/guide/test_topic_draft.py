"""From a gap to a topic file: it loads, says what is missing, and nobody is shown it unwritten."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from guide import check
from guide.answer import Composer
from guide.command import app, topic
from guide.content import ContentError
from guide.gaps import UNANSWERED, GapLine, GapStore
from guide.paths import CONTENT, ENCODER, FAQ
from guide.topic_draft import draft_topic
from guide.topics import Topic, TopicLibrary, load_sources, read_topic
from tests.needs import need

SOURCES = load_sources(CONTENT / "sources.yml")
QUESTIONS = ["can my dog come?", "my name is [name], may i bring my dog", "Can my dog come??"]


def drafted(folder: Path, questions: list[str], related: tuple[str, ...] = ("cost",)) -> Topic:
    path = folder / "a_dog.yml"
    path.write_text(draft_topic("a_dog", questions, related), encoding="utf-8")
    return read_topic(path, SOURCES)


def test_a_draft_has_the_questions_as_examples_and_is_drafted(tmp_path: Path) -> None:
    found = drafted(tmp_path, QUESTIONS)
    assert found.examples == ("Can my dog come??", "my name is , may i bring my dog")
    assert found.review.status == "drafted"
    assert found.review.by is None
    assert found.related == ("cost",)
    assert found.unwritten == ("title", "text", "simpler", "detail")


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(questions=st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_whatever_was_asked_the_file_has_a_valid_form(tmp_path: Path, questions: list[str]) -> None:
    store = GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)
    store.purge(date.max)
    for question in questions:
        store.add(GapLine(date.today(), UNANSWERED, f"why {question}"))
    found = drafted(tmp_path, [line.text for line in store.lines(date.min)])
    assert found.examples
    assert not any("[" in example or example.startswith("/") for example in found.examples)


def test_check_says_everything_that_is_missing(tmp_path: Path) -> None:
    found = "\n".join(check.topic_problems(drafted(tmp_path, QUESTIONS, ())))
    for missing in (
        "title is still to be written",
        "text is still to be written",
        "simpler is still to be written",
        "detail is still to be written",
        "names no source",
        "names no related topic",
        "has 2 examples; at least 25",
    ):
        assert missing in found
    assert "reading grade" not in found


def test_a_written_topic_without_sources_is_still_refused(tmp_path: Path) -> None:
    path = tmp_path / "a_dog.yml"
    text = draft_topic("a_dog", QUESTIONS, ()).replace("TODO, the short answer", "Yes, it may.")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match="sources: is empty"):
        read_topic(path, SOURCES)


@pytest.fixture
def with_draft(composer: Composer, tmp_path: Path) -> Composer:
    """A composer whose library has an unwritten topic too."""
    topics = {**composer.library, "a_dog": drafted(tmp_path, QUESTIONS)}
    return Composer(TopicLibrary(topics), composer.language, composer.clinic)


def test_nobody_is_shown_a_topic_that_is_not_written(with_draft: Composer) -> None:
    assert with_draft.withheld("a_dog")
    titles = [button.title for button in with_draft.choices(["a_dog", "cost", "bladder"], 0)]
    assert not any("TODO" in title for title in titles)
    assert len(titles) == 3


def test_a_draft_does_not_spoil_the_mean_reading_grade(with_draft: Composer) -> None:
    assert check.mean_grade_problems(with_draft.library) == []


# The command


@pytest.fixture
def faq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for new topics; a store with one group of gaps."""
    built = (ENCODER / "model.onnx").is_file()
    need(ENCODER if built else None, "the encoder is not built; run `make train`")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    store = GapStore(f"sqlite:///{tmp_path / 'gaps.db'}", 30)
    for question in QUESTIONS[:2]:
        store.add(GapLine(date.today(), UNANSWERED, question, None, ("preparation",)))
    folder = tmp_path / "faq"
    folder.mkdir()
    monkeypatch.setattr(topic, "FAQ", folder)
    return folder


def run(*arguments: str) -> tuple[int, str]:
    """Return exit code and output of `kap-guide` with these arguments."""
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_the_command_drafts_from_a_group_that_the_report_names(
    faq: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = run("report")
    assert code == 0, shown
    assert "can my dog come?" in shown
    group = shown.split("near:")[0].split()[-1]
    code, _ = run("topic", "new", "a_dog", "--from", group)
    assert code == 0
    found = read_topic(faq / "a_dog.yml", SOURCES)
    assert len(found.examples) == 2
    assert found.related == ("preparation",)


@pytest.mark.parametrize(
    ("name", "group"), [("Two Words", "x"), ("../up", "x"), ("a_dog", "none00")]
)
def test_a_wrong_name_or_group_writes_nothing(faq: Path, name: str, group: str) -> None:
    code, _ = run("topic", "new", name, "--from", group)
    assert code == 2
    assert list(faq.iterdir()) == []


def test_an_existing_topic_is_never_written_over(faq: Path) -> None:
    (faq / "a_dog.yml").write_text("mine", encoding="utf-8")
    assert run("topic", "new", "a_dog", "--from", "x")[0] == 2
    assert (faq / "a_dog.yml").read_text(encoding="utf-8") == "mine"


def test_a_broken_store_is_one_clear_line(faq: Path, tmp_path: Path) -> None:
    for file in tmp_path.glob("gaps.db*"):
        file.unlink()
    (tmp_path / "gaps.db").write_bytes(b"this is no database" * 100)
    assert run("report")[0] == 2


def test_the_page_and_the_digest_come_out_of_the_command(faq: Path, tmp_path: Path) -> None:
    assert run("report", "--html", str(tmp_path / "report.html"))[0] == 0
    assert "<svg" in (tmp_path / "report.html").read_text(encoding="utf-8")
    code, shown = run("report", "--slack")
    assert code == 0
    assert shown.startswith('{"text"')


def test_the_library_of_this_checkout_is_all_written() -> None:
    library = TopicLibrary.load(FAQ, CONTENT / "sources.yml")
    assert [key for key, entry in library.items() if entry.unwritten] == []

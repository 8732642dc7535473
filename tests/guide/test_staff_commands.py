"""What staff get by command."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from guide.answer import Composer
from guide.clinic import Clinic
from guide.content import ContentError
from guide.paths import CONTENT
from guide.staff_commands import COMMANDS, StaffCommands, read_command
from guide.staff_texts import StaffTexts
from guide.topics import Review, Topic, TopicLibrary

TODAY = date(2026, 11, 20)


@pytest.fixture
def commands(composer: Composer) -> StaffCommands:
    texts = StaffTexts.load(CONTENT, composer.clinic)
    return StaffCommands(composer.library, texts, "/kap ", lambda: "3 gaps")


def test_help_names_every_command(commands: StaffCommands) -> None:
    text = commands.reply("help", "", TODAY).text
    assert all(f"/kap {name}" in text for name in COMMANDS)
    assert "988" in text


def test_topics_lists_all_and_finds_by_word(commands: StaffCommands, composer: Composer) -> None:
    everything = commands.reply("topics", "", TODAY)
    assert all(topic.title in everything.text for topic in composer.library.values())
    assert not everything.buttons
    found = commands.reply("topics", "BLADDER", TODAY)
    assert [button.title for button in found.buttons] == [composer.library["bladder"].title]


def test_review_shows_what_is_overdue_first(composer: Composer) -> None:
    def with_review(key: str, status: str, due: "str | None") -> None:
        library[key] = replace(composer.library[key], review=Review(status, "A", "2026-01-01", due))

    library = {key: composer.library[key] for key in ("bladder", "liver", "driving")}
    with_review("liver", "approved", "2026-11-19")
    with_review("driving", "approved", "2026-11-21")
    text = _review(library, composer)
    assert text.startswith("2 of 3 topics approved")
    assert text.index("overdue (1)") < text.index("(liver)") < text.index("(bladder)")
    assert text.index("(bladder)") < text.index("Due next (1)") < text.index("(driving)")


def _review(library: "dict[str, Topic]", composer: Composer) -> str:
    texts = StaffTexts.load(CONTENT, composer.clinic)
    commands = StaffCommands(TopicLibrary(library), texts, "/", lambda: "")
    return commands.reply("review", "", TODAY).text


def test_gaps_are_told_and_a_broken_store_is_said(composer: Composer) -> None:
    def broken() -> str:
        raise OSError("secret address")

    texts = StaffTexts.load(CONTENT, composer.clinic)
    for gaps, expected in ((lambda: "3 gaps", "3 gaps"), (broken, "cannot be read")):
        commands = StaffCommands(composer.library, texts, "/", gaps)
        assert expected in commands.reply("gaps", "", TODAY).text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ("help", "")),
        ("  Topics   sleep and rest ", ("topics", "sleep and rest")),
        ("ask can it\nhelp?", ("ask", "can it\nhelp?")),
    ],
)
def test_a_line_is_read(line: str, expected: tuple[str, str]) -> None:
    assert read_command(line) == expected


def test_a_missing_text_is_told_when_the_channel_starts(tmp_path: Path) -> None:
    (tmp_path / "staff.yml").write_text("help: x\n")
    with pytest.raises(ContentError, match=r"staff\.yml"):
        StaffTexts.load(tmp_path, Clinic.load(CONTENT))

"""Damaged content gives one line that names file, place and remedy."""

import shutil
from pathlib import Path

import pytest

from guide.answer import load_safety_language
from guide.clinic import Clinic
from guide.content import ContentError, load_yaml
from guide.paths import CONTENT, FAQ
from guide.topics import TopicLibrary, load_sources, read_topic


def damaged(tmp_path: Path, old: str, new: str, topic: str = "bladder") -> Path:
    """Return a copy of a topic file with `old` replaced by `new`."""
    text = (FAQ / f"{topic}.yml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / f"{topic}.yml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "place", "remedy"),
    [
        ("sources: [", "sources: [no_such_source, ", "sources[0]", "content/sources.yml"),
        ("safety: [", "safety: [no_such_key, ", "safety[0]", "clinician"),
        ("    metadata:", "    metadata_:", "metadata", "add it"),
        ("status: drafted", "status: perfect", "review.status", "approved"),
        ("intent: faq/bladder", "intent: faq/other", "nlu", "name it as the file"),
        ("utter_faq/bladder:", "utter_faq/other:", "responses", "name it as the file"),
        ("version: ", "version: [", "line", "correct the YAML"),
    ],
)
def test_a_damaged_topic_names_file_place_and_remedy(
    tmp_path: Path, old: str, new: str, place: str, remedy: str
) -> None:
    path = damaged(tmp_path, old, new)
    with pytest.raises(ContentError) as error:
        read_topic(path, load_sources(CONTENT / "sources.yml"))
    message = str(error.value)
    assert "bladder.yml" in message
    assert place in message
    assert remedy in message
    assert "\n" not in message


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.yml"
    path.write_text("a: 1\nb: 2\na: 3\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"twice\.yml: line 3.*'a' stands twice"):
        load_yaml(path)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="restore it"):
        load_yaml(tmp_path / "gone.yml")


def test_bytes_that_are_no_text_say_so(tmp_path: Path) -> None:
    path = tmp_path / "binary.yml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ContentError, match="UTF-8"):
        load_yaml(path)


def test_an_unknown_related_topic_is_refused(tmp_path: Path) -> None:
    damaged(tmp_path, "related: [", "related: [no_such_topic, ")
    with pytest.raises(ContentError, match="unknown topic 'no_such_topic'"):
        TopicLibrary.load(tmp_path, CONTENT / "sources.yml")


def test_an_empty_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="holds no topic file"):
        TopicLibrary.load(tmp_path, CONTENT / "sources.yml")


def test_safety_language_must_have_every_key(tmp_path: Path) -> None:
    path = tmp_path / "safety_language.yml"
    path.write_text("clinician: [Talk to a clinician.]\n", encoding="utf-8")
    with pytest.raises(ContentError, match="keep exactly"):
        load_safety_language(path)


def test_a_clinic_in_a_country_without_crisis_lines_is_refused(tmp_path: Path) -> None:
    shutil.copytree(CONTENT, tmp_path / "content")
    path = tmp_path / "content" / "clinic.yml"
    path.write_text(path.read_text().replace("country: US", "country: XX"), encoding="utf-8")
    with pytest.raises(ContentError, match="'XX' has no crisis lines"):
        Clinic.load(tmp_path / "content")

"""The static notice says whom to call, everywhere in the same words."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from guide.check import notice_problems
from guide.clinic import Clinic
from guide.content import ContentError
from guide.notice import PROXY_FILE, notice_text, off_reply, proxy_answer
from guide.paths import CONTENT

CLINIC = Clinic.load(CONTENT)


@pytest.mark.parametrize("country", CLINIC.lines)
def test_help_comes_first_in_every_country(country: str) -> None:
    clinic = replace(CLINIC, settings={**CLINIC.settings, "country": country})
    first = notice_text(clinic).split(". ")[0]
    assert clinic.lines[country].values["crisis_call"] in first
    assert clinic.lines[country].values["emergency"] in first


def test_every_channel_and_the_proxy_say_the_same() -> None:
    (reply,) = json.loads(proxy_answer(CLINIC))["replies"]
    assert reply["text"] == off_reply(CLINIC).text
    assert PROXY_FILE.read_text(encoding="utf-8") == proxy_answer(CLINIC)


def test_a_proxy_with_old_words_is_found() -> None:
    assert not notice_problems(CLINIC)
    moved = replace(CLINIC, settings={**CLINIC.settings, "phone": "555-0199"})
    assert "kap-guide notice" in notice_problems(moved)[0]


@pytest.mark.parametrize("missing", ["{crisis_call}", "{emergency}"])
def test_a_notice_without_help_is_refused(tmp_path: Path, missing: str) -> None:
    text = "text: call {crisis_call} or {emergency}".replace(missing, "somebody")
    (tmp_path / "notice.yml").write_text(text)
    with pytest.raises(ContentError, match=missing.strip("{}")):
        notice_text(CLINIC, tmp_path / "notice.yml")

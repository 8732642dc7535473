"""The content contracts hold, and would catch what they are for."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from guide import check
from guide.answer import Composer
from guide.content import load_yaml
from guide.paths import DATA, ROOT


def test_all_contracts_hold() -> None:
    assert check.problems() == []


@pytest.mark.parametrize(
    "text",
    [
        "Ketamine is safe.",
        "It is a miracle drug.",
        "This treatment cures depression.",
        "Ketamine is FDA-approved for depression.",
        "It is non-addictive.",
        "It has no side effects.",
        "You are a good candidate.",
        "Results are guaranteed.",
        "Call {no_such_number}.",
        "It helps!",
        "It **helps**.",
    ],
)
def test_a_forbidden_text_is_found(text: str) -> None:
    assert check.text_problems("place", text)


@pytest.mark.parametrize(
    "text",
    [
        "Nobody can say that it is safe for everyone.",
        "Ketamine is not FDA-approved for depression.",
        "Esketamine is FDA-approved for depression that did not respond to two medicines.",
        "Is it safe?",
        "It is not a cure.",
        "You can call or text 988 at any time.",
    ],
)
def test_an_honest_text_passes(text: str) -> None:
    assert check.text_problems("place", text) == []


def test_a_long_hard_answer_is_found(composer: Composer) -> None:
    topic = replace(
        composer.library["bladder"],
        text="Notwithstanding methodological heterogeneity, epidemiological characterisation "
        "of genitourinary pathophysiology necessitates interdisciplinary investigation. " * 20,
    )
    found = " ".join(check.topic_problems(topic))
    assert "words" in found
    assert "reading grade" in found


def test_too_few_examples_are_found(composer: Composer) -> None:
    topic = replace(composer.library["bladder"], examples=("bladder?",))
    assert any("examples" in line for line in check.topic_problems(topic))


@pytest.mark.parametrize(
    ("payload", "leads_somewhere"),
    [
        ('/show_topic{"topic": "bladder"}', True),
        ('/show_topic{"topic": "no_such_topic"}', False),
        ("/show_topic", False),
        ("/tell_more", True),
        ("/no_such_intent", False),
        ("tell_more", False),
        ('/show_topic{"topic"', False),
    ],
)
def test_buttons_must_lead_somewhere(
    composer: Composer, payload: str, leads_somewhere: bool
) -> None:
    assert check.resolves(payload, composer.library, check.load_intents()) is leads_somewhere


def test_old_crisis_lines_are_found(composer: Composer) -> None:
    later = date.today() + timedelta(days=composer.clinic.settings["max_age_days"] + 1)
    found = check.age_problems(composer.clinic, later)
    assert sum("crisis_lines" in line for line in found) == len(composer.clinic.lines)
    assert any("safety_patterns" in line for line in found)


def test_every_seed_claim_is_covered_by_a_topic(composer: Composer) -> None:
    covered = {claim for topic in composer.library.values() for claim in topic.claims}
    wanted = {f"FAQ-{n:03}" for n in range(1, 75)} | {f"KAP101-{n:03}" for n in range(1, 34)}
    assert sorted(wanted - covered) == []


def test_crisis_replies_give_a_number_first_and_never_repeat() -> None:
    responses = load_yaml(DATA / "safety" / "replies.yml")["responses"]
    crises = {key: value for key, value in responses.items() if key.startswith("utter_crisis/")}
    assert len(crises) == 8
    for key, variations in crises.items():
        texts = [variation["text"] for variation in variations]
        assert len(set(texts)) == len(texts) >= 3, key
        for text in texts:
            first = text.split(".")[0]
            assert "{crisis_call}" in first or "{emergency}" in first or "{abuse_line}" in first
            assert "\n\n" not in text
            assert any(word in text for word in ("program", "software", "automatic")), key


def test_every_reply_key_of_the_gate_exists() -> None:
    responses = load_yaml(DATA / "safety" / "replies.yml")["responses"]
    intents = {
        block["intent"]
        for path in (DATA / "safety").glob("*.yml")
        for block in load_yaml(path).get("nlu") or []
        if block["intent"].split("/")[0] in ("crisis", "check_in", "boundary")
    }
    assert {f"utter_{intent}" for intent in intents} == {key for key in responses if "/" in key}


def test_the_clinic_file_that_ships_is_recognisably_a_sample() -> None:
    assert "sample" in load_yaml(ROOT / "content" / "clinic.yml")["name"].lower()

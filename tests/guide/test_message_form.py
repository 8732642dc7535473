"""The form of a message: no words, too many, another language."""

import pytest

from guide.content import load_yaml
from guide.message_form import form_of
from guide.paths import DATA


@pytest.mark.parametrize("text", ["", "  ", "\n\t", "😀😀", "?!", "...", "\u200b", "\x00\x07"])
def test_a_message_without_words_is_empty(text: str) -> None:
    assert form_of(text) == "empty"


def test_a_very_long_message_is_too_long() -> None:
    assert form_of("is it addictive? " * 200) == "too_long"


@pytest.mark.parametrize(
    "text",
    [
        "¿La ketamina es adictiva?",
        "cuánto cuesta el tratamiento con ketamina",
        "est-ce que la kétamine est dangereuse pour le cœur",
        "macht das abhängig und wie lange dauert die Wirkung",
        "a cetamina é perigosa? posso dirigir depois",
        "quanto dura l'effetto della ketamina",
        "氯胺酮会上瘾吗",
        "кетамин вызывает зависимость?",
        "هل الكيتامين آمن",
    ],
)
def test_another_language_is_recognised(text: str) -> None:
    assert form_of(text) == "other_language"


def test_no_english_training_example_is_taken_for_another_language() -> None:
    examples = [
        line[2:]
        for path in DATA.rglob("*.yml")
        for block in load_yaml(path).get("nlu") or []
        for line in block["examples"].splitlines()
        if line.startswith("- ")
    ]
    assert len(examples) > 3000
    taken = [text for text in examples if form_of(text) == "other_language"]
    assert len(taken) <= len(examples) / 1000, taken

"""Clinic settings, crisis lines and placeholders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guide.clinic import PLACEHOLDERS, Clinic, fill, unknown_placeholders
from guide.paths import CONTENT

CLINIC = Clinic.load(CONTENT)


@pytest.mark.parametrize("country", [None, *CLINIC.lines])
def test_every_placeholder_has_words_in_every_country(country: str | None) -> None:
    values = CLINIC.placeholders(country)
    assert set(values) == PLACEHOLDERS
    assert all(value.strip() for value in values.values())


def test_an_unset_value_asks_the_clinic_and_invents_nothing() -> None:
    clinic = Clinic({**CLINIC.settings, "phone": None, "prices": None}, CLINIC.lines)
    assert "ask the clinic" in clinic.placeholders()["clinic_phone"]
    assert "ask the clinic" in clinic.placeholders()["clinic_prices"]


def test_an_unknown_country_gets_the_clinics_default() -> None:
    assert CLINIC.placeholders("Atlantis") == CLINIC.placeholders()


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("I'm in the UK", "UK"),
        ("calling from toronto, canada", "CA"),
        ("i live in Sydney", "AU"),
        ("we are in new zealand", "NZ"),
        ("I live in Dublin", "IE"),
        ("tell us more", None),
        ("is it dangerous?", None),
    ],
)
def test_the_country_is_understood(text: str, country: str | None) -> None:
    assert CLINIC.country_in(text) == country


@given(st.text())
def test_filling_keeps_text_without_known_placeholders(text: str) -> None:
    if not any(f"{{{name}}}" in text for name in PLACEHOLDERS):
        assert fill(text, CLINIC.placeholders()) == text


def test_unknown_placeholders_are_found() -> None:
    assert unknown_placeholders("call {crisis_call} or {no_such}") == {"no_such"}

"""What points to a person goes; what a question is about stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guide.content import load_yaml
from guide.paths import FAQ
from guide.redaction import found, redact

FOUND = [
    ("write to jane.doe+kap@mail.example.org please", "write to [e-mail] please", "e-mail"),
    ("jane [at] example [dot] org", "[e-mail]", "e-mail"),
    ("call me at (555) 123-4567", "call me at [phone]", "phone"),
    ("my cell is 555-123-4567, after 5", "my cell is [phone], after 5", "phone"),
    ("+1 212 555 0187 works", "[phone] works", "phone"),
    ("ring 07700 900123 tonight", "ring [phone] tonight", "phone"),
    ("+44 20 7946 0958", "[phone]", "phone"),
    ("I was born on 4 March 1981", "I was born on [date of birth]", "date of birth"),
    ("dob: 03/04/1981", "dob: [date of birth]", "date of birth"),
    ("DOB 3-4-81.", "DOB [date of birth].", "date of birth"),
    ("born in 1979 and anxious", "born in [date of birth] and anxious", "date of birth"),
    ("my birthday is March 5th", "my birthday is [date of birth]", "date of birth"),
    ("1981-03-04 is mine", "[date of birth] is mine", "date of birth"),
    ("march 4th, 1981", "[date of birth]", "date of birth"),
    ("born on 12.10.2015, my son", "born on [date of birth], my son", "date of birth"),
    ("my ssn is 123-45-6789", "my ssn is [number]", "number"),
    ("ssn 123456789", "ssn [number]", "number"),
    ("card 4111 1111 1111 1111 exp 12/28", "card [number] exp 12/28", "number"),
    ("4111111111111111", "[number]", "number"),
    ("ni number QQ 12 34 56 C", "ni number [number]", "number"),
    ("passport number X1234567", "passport number [number]", "number"),
    ("mrn: 00482913", "mrn: [number]", "number"),
    ("policy no. AB-12 3456", "policy no. [number]", "number"),
    ("iban DE89 3704 0044 0532 0130 00", "iban [number]", "number"),
    ("my name is john smith and i am scared", "my name is [name] and i am scared", "name"),
    ("My name is Sarah.", "My name is [name].", "name"),
    ("my husband's name is Bob O'Neill", "my husband's name is [name]", "name"),
    ("Hi, I'm Sarah Miller, can I ask", "Hi, I'm [name], can I ask", "name"),
    ("this is Zoë", "this is [name]", "name"),
    ("my doctor is Dr. Miller", "my doctor is Dr. [name]", "name"),
    ("she is called maria", "she is called [name]", "name"),
    ("name: Ann Lee", "name: [name]", "name"),
    ("hi my names tom", "hi my names [name]", "name"),
]

KEPT = [
    "does 0.5 mg/kg over 40 minutes work?",
    "is 988 free? and 911?",
    "my blood pressure was 120/80, then 135/85",
    "studies from 2019-2023, or 2019 2020 2021",
    "i had 6 sessions, 2 a week, 400 to 600 dollars each",
    "50 100 150 or 200 mg?",
    "my appointment is on 12/10/2026 at 10:30",
    "I'm scared of needles and I am Not sure",
    "I'm Bipolar, is that a problem",
    "this is confidential, right?",
    "the name is Spravato, i think",
    "what is the brand name",
    "call me back please",
    "call me tomorrow",
    "is it 1,000,000 people?",
    "i was born with a heart defect",
    "text HOME to 741741",
    "the dose is 1500 mg, i weigh 150 lbs and i'm 43",
]


@pytest.mark.parametrize(("text", "redacted", "kind"), FOUND)
def test_what_points_to_a_person_goes(text: str, redacted: str, kind: str) -> None:
    assert redact(text) == redacted
    assert found(text) == {kind}


@pytest.mark.parametrize("text", KEPT)
def test_the_question_stays(text: str) -> None:
    assert redact(text) == text
    assert found(text) == frozenset()


def test_everything_at_once() -> None:
    text = "I'm Jo Park, born 3/4/1981, jo@example.org, 555-123-4567, ssn 123-45-6789"
    assert redact(text) == ("I'm [name], born [date of birth], [e-mail], [phone], ssn [number]")


@given(st.text(max_size=300))
def test_any_text_is_taken_and_stays_redacted(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert bool(found(text)) == (once != text)


@given(
    st.text(alphabet="abc ,.?!", max_size=30),
    st.sampled_from(["jo@example.org", "555-123-4567", "123-45-6789", "4111 1111 1111 1111"]),
    st.text(alphabet="abc ,?!", max_size=30),
)
def test_it_is_found_wherever_it_stands(before: str, secret: str, after: str) -> None:
    assert secret not in redact(f"{before} {secret} {after}")


def test_the_librarys_own_questions_are_untouched() -> None:
    questions = [
        line.removeprefix("- ")
        for file in sorted(FAQ.glob("*.yml"))
        for entry in load_yaml(file)["nlu"]
        for line in entry["examples"].splitlines()
    ]
    changed = [question for question in questions if redact(question) != question]
    assert changed == []

"""Reading a message: clauses, follow-ups, fear. The ranking is scripted, only reading is tried."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guide.bands import CLARIFY, LIBRARY, UNKNOWN, Thresholds
from guide.ranking import Ranking
from guide.reading import MAX_CLAUSES, Rank, clauses, read

THRESHOLDS = Thresholds(answer=0.5, clarify=0.1)
SURE, LIKELY, FAINT = 0.8, 0.3, 0.01
BACKGROUND = [("faq/addiction", FAINT), ("faq/driving", FAINT), ("faq/bladder", FAINT)]


def scripted(entries: Mapping[str, Ranking]) -> Rank:
    """Return a ranking that knows `entries`; any other text is close to nothing."""

    def rank(text: str) -> Ranking:
        known = entries.get(text, [])
        names = {label for label, _ in known}
        return [*known, *(entry for entry in BACKGROUND if entry[0] not in names)]

    return rank


def test_two_clear_questions_are_both_asked_in_their_order() -> None:
    text = "can i drive home and is it addictive"
    rank = scripted(
        {
            "can i drive home": [("faq/driving", SURE)],
            "is it addictive": [("faq/addiction", SURE)],
        }
    )
    reading = read(text, None, rank, THRESHOLDS)
    assert reading.decision.intent == LIBRARY
    assert [label for label, _ in reading.questions] == ["faq/driving", "faq/addiction"]


def test_one_clear_question_in_an_unclear_story_is_answered() -> None:
    text = "My wife starts next week. can she drive home"
    rank = scripted(
        {text: [("faq/driving", LIKELY)], "can she drive home": [("faq/driving", SURE)]}
    )
    reading = read(text, None, rank, THRESHOLDS)
    assert (reading.decision.intent, reading.questions) == (LIBRARY, [("faq/driving", SURE)])


def test_a_clause_does_not_pull_a_message_from_outside_the_library_into_it() -> None:
    text = "i grow mushrooms. is it addictive"
    outside: Ranking = [("out_of_scope/other_psychedelics", SURE), ("faq/addiction", FAINT)]
    rank = scripted({text: outside, "is it addictive": [("faq/addiction", SURE)]})
    assert read(text, None, rank, THRESHOLDS).decision.intent == "out_of_scope"


def test_a_clause_about_something_the_whole_does_not_allow_for_is_left_alone() -> None:
    text = "hello there. is it addictive"
    rank = scripted({"is it addictive": [("faq/cost", SURE)]})
    assert read(text, None, rank, THRESHOLDS).decision.intent == UNKNOWN


def test_a_follow_up_leans_on_the_topic_only_when_it_is_unclear_alone() -> None:
    leaning = {"bladder: is that dangerous": [("faq/bladder", SURE)]}
    unclear = scripted({**leaning, "is that dangerous": [("faq/driving", LIKELY)]})
    reading = read("is that dangerous", "bladder", unclear, THRESHOLDS)
    assert reading.decision.candidates == [("faq/bladder", SURE)]
    assert read("is that dangerous", None, unclear, THRESHOLDS).decision.intent == CLARIFY


def test_why_asks_for_more_and_is_not_bent_into_a_question() -> None:
    rank = scripted({"why": [("tell_more", SURE)], "bladder: why": [("faq/bladder", SURE)]})
    assert read("why", "bladder", rank, THRESHOLDS).decision.intent == "tell_more"


@pytest.mark.parametrize(
    "text",
    [
        "i'm scared, is it addictive",
        "Honestly terrified of losing control",
        "im so afraid this makes me crazy",
        "the idea of a k-hole scares me",
        "I am a bit frightened about the needle",
    ],
)
def test_fear_of_one_s_own_is_heard(text: str) -> None:
    assert read(text, None, scripted({}), THRESHOLDS).afraid


@pytest.mark.parametrize(
    "text",
    ["does it help people who are scared of flying", "is a scare campaign behind this", "why"],
)
def test_other_people_s_fear_is_not_taken_for_one_s_own(text: str) -> None:
    assert not read(text, None, scripted({}), THRESHOLDS).afraid


@given(st.text(max_size=400))
def test_any_text_is_read_and_gives_few_clauses(text: str) -> None:
    assert len(clauses(text)) <= MAX_CLAUSES
    reading = read(text, "bladder", scripted({}), THRESHOLDS)
    assert reading.decision.intent == UNKNOWN
    assert reading.questions == []


def test_what_about_something_else_is_a_question_about_that() -> None:
    rank = scripted({"what about ocd": [("faq/ocd", LIKELY)], "ocd?": [("faq/ocd", SURE)]})
    reading = read("what about ocd", "ptsd", rank, THRESHOLDS)
    assert reading.decision.candidates == [("faq/ocd", SURE)]

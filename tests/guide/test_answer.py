"""Composing answers: complete, with safety language, without repeating it."""

import pytest

from guide.answer import Composer


def test_the_two_first_questions_have_full_answers(composer: Composer) -> None:
    for key in ("is_psychedelic", "risks_overview"):
        reply = composer.answer(key, said=0)
        assert reply.kind == "answer"
        assert reply.topic == key
        assert reply.sources
        assert any(word in reply.text for word in composer.language["clinician"][0].split()[:3])
        assert len(reply.buttons) >= 3


def test_every_topic_can_be_told_in_every_way(composer: Composer) -> None:
    for key in composer.library:
        replies = [
            composer.answer(key, 0),
            composer.answer(key, 1, "UK"),
            composer.answer(key, 2, None, "simpler"),
            composer.answer(key, 3, None, "detail"),
            composer.detail(key),
            composer.sources(key),
            composer.related(key, [key]),
        ]
        for reply in replies:
            assert "{" not in reply.text


def test_safety_language_changes_from_turn_to_turn(composer: Composer) -> None:
    endings = [composer.answer("bladder", said).text.split("\n\n")[1] for said in range(3)]
    assert len(set(endings)) == 3


def test_at_most_two_safety_sentences(composer: Composer) -> None:
    for key, topic in composer.library.items():
        language = composer.answer(key, 0).text.split("\n\n")[1]
        wordings = [composer.language[name][0] for name in topic.safety]
        assert sum(wording.split("{")[0] in language for wording in wordings) <= 2


def test_the_most_urgent_sentence_comes_first(composer: Composer) -> None:
    reply = composer.answer("overdose_signs", 0)
    assert "911" in reply.text.split("\n\n")[1]


def test_crisis_numbers_follow_the_country(composer: Composer) -> None:
    assert "988" in composer.answer("suicidal_thoughts", 0, "US").text
    british = composer.answer("suicidal_thoughts", 0, "UK").text
    assert "988" not in british
    assert "116 123" in british


def test_sources_are_listed_and_the_missing_review_is_said(composer: Composer) -> None:
    text = composer.sources("bladder").text
    for source in composer.library["bladder"].sources:
        assert source.title in text
        assert source.url in text
    assert "No clinician has reviewed this text yet" in text


def test_related_questions_leave_out_what_was_asked(composer: Composer) -> None:
    first = composer.library["bladder"].related[0]
    titles = [button.payload for button in composer.related("bladder", [first]).buttons]
    assert not any(f'"{first}"' in payload for payload in titles)


def test_starters_are_offered_when_nothing_was_talked_about(composer: Composer) -> None:
    assert len(composer.related(None, []).buttons) == 4


def test_a_choice_has_at_most_three_topics_and_ways_out(composer: Composer) -> None:
    keys = ["bladder", "liver", "nausea", "vision"]
    titles = [button.title for button in composer.choices(keys, misses=0)]
    assert len(titles) == 4
    assert titles[-1] == "Something else"
    assert composer.choices(keys, misses=1)[-1].payload == "/talk_to_person"


def test_an_unapproved_topic_is_withheld_when_the_clinic_says_so(composer: Composer) -> None:
    assert not composer.withheld("bladder")
    strict = composer.clinic.__class__(
        {**composer.clinic.settings, "require_approved": True}, composer.clinic.lines
    )
    assert Composer(composer.library, composer.language, strict).withheld("bladder")


def test_an_unknown_topic_is_an_error(composer: Composer) -> None:
    with pytest.raises(KeyError):
        composer.answer("no_such_topic", 0)

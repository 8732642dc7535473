"""An invented clinic's three months: what nobody really asked, for tests and the docs' picture.

`python -m tests.guide.gap_sample FOLDER` leaves the sample in FOLDER/gaps.db, for DATA_DIR=FOLDER.
"""

import random
import sys
from datetime import date, timedelta
from pathlib import Path

from guide.gaps import (
    CLARIFY,
    COMPLAINT,
    HELPFUL,
    PICKED,
    UNANSWERED,
    UNHELPFUL,
    GapLine,
    GapStore,
)

WEEKS = 12

GROUPS: dict[str, list[str]] = {
    "contact lenses": [
        "can i wear contact lenses during the session?",
        "should I take my contacts out before the infusion",
        "are contact lenses ok with the eye mask",
        "do i have to remove my contacts for treatment",
        "contacts in or out?",
        "is it fine to keep my lenses in during ketamine",
    ],
    "flying": [
        "can i fly the day after an infusion",
        "how soon after treatment can I take a flight",
        "i have a flight home the next morning, is that a problem",
        "is it ok to get on a plane after ketamine",
        "flying after a session?",
        "can I travel by plane two days after",
    ],
    "a cold": [
        "i have a cold, can i still come to my session",
        "should I cancel if I have a runny nose and a cough",
        "do i need to reschedule with a cold",
        "session tomorrow and i caught a bad cold",
        "is treatment possible with the flu",
    ],
    "a pet": [
        "can my dog be in the room with me",
        "may i bring my emotional support animal",
        "are service dogs allowed during treatment",
        "is it ok to bring my dog to the session",
    ],
    "blood donation": [
        "can i donate blood while on ketamine treatment",
        "is giving blood allowed after infusions",
        "may I still be a blood donor",
    ],
    "a hearing aid": ["do i keep my hearing aid in", "should hearing aids come out for it"],
    "a tattoo": ["can i get a tattoo the same week"],
    "music of one's own": ["my name is Robin Example, can i bring my own playlist"],
}
"""Questions that the library does not answer, by what they are about."""

TOPICS = {
    "session_experience": 31,
    "risks_overview": 24,
    "effectiveness": 22,
    "side_effects": 19,
    "cost": 17,
    "is_psychedelic": 15,
    "driving": 13,
    "who_should_not": 11,
    "addiction": 9,
    "bladder": 7,
    "preparation": 6,
    "interactions": 5,
    "integration": 3,
    "vision": 1,
}
"""Topics with the mean number of questions a week."""


def fill(store: GapStore, today: date, seed: int = 7) -> None:
    """Leave three months of lines and counts in the store."""
    chance = random.Random(seed)
    monday = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    for week in range(WEEKS):
        day = min(monday + timedelta(weeks=week, days=chance.randrange(5)), today)
        growth = 0.6 + 0.05 * week
        numbers = {
            ("answer", key): round(chance.gauss(mean * growth, mean**0.5 / 2))
            for key, mean in TOPICS.items()
        }
        asked = sum(numbers.values())
        numbers[("clarify", "")] = round(asked * chance.uniform(0.08, 0.12))
        numbers[(PICKED, "risks_overview")] = round(numbers[("clarify", "")] * 0.7)
        numbers[("unknown", "")] = round(asked * chance.uniform(0.05, 0.11))
        numbers[("boundary", "dose")] = round(asked * 0.04)
        numbers[(COMPLAINT, "effectiveness")] = chance.randrange(3)
        for key in list(TOPICS)[:6]:
            numbers[(HELPFUL, key)] = chance.randrange(2, 9)
            numbers[(UNHELPFUL, key)] = chance.randrange(3)
        numbers[("crisis", "suicide")] = chance.randrange(2, 9)
        numbers[("crisis", "medical_emergency")] = chance.randrange(4)
        numbers[("crisis", "after_session")] = chance.randrange(3)
        numbers[("check_in", "distress")] = chance.randrange(3, 12)
        store.count(day, {key: number for key, number in numbers.items() if number > 0})
    lines = [
        (question, kind)
        for questions in GROUPS.values()
        for question in questions
        for kind in ([UNANSWERED, UNANSWERED, CLARIFY] if len(questions) > 3 else [UNANSWERED])
    ]
    for question, kind in lines:
        offered = ("after_session", "preparation") if kind == CLARIFY else ()
        store.add(
            GapLine(today - timedelta(days=chance.randrange(28)), kind, question, None, offered)
        )


if __name__ == "__main__":
    fill(GapStore(f"sqlite:///{Path(sys.argv[1]) / 'gaps.db'}", 30), date.today())

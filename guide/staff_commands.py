"""What staff can ask for by command: the same words in Slack (`/kap topics`) and Telegram."""

import logging
from collections.abc import Callable
from datetime import date

from guide.answer import topic_button
from guide.reply import Reply
from guide.reviews import by_urgency, is_overdue
from guide.staff_texts import StaffTexts
from guide.topics import Topic, TopicLibrary

logger = logging.getLogger(__name__)

COMMANDS = {
    "ask": "ask a question",
    "topics": "list what can be answered; with a word, the topics about it",
    "gaps": "what patients could not get answered",
    "review": "what clinicians have approved, and what is due",
    "help": "what this is, and its commands",
}
"""The commands with what they are for, as shown in menus. `ask` takes a turn; the rest are here."""

MAX_BUTTONS = 8
MAX_LISTED = 25


class StaffCommands:
    """Answers commands from the library.

    `sign` stands before a command's name where it is told: "/kap " in Slack, "/" in Telegram.
    `gaps` returns what patients could not get answered; it may take seconds, or raise.
    """

    def __init__(
        self, library: TopicLibrary, texts: StaffTexts, sign: str, gaps: Callable[[], str]
    ) -> None:
        self._gaps = gaps
        self._library = library
        self._texts = texts
        self._sign = sign

    def reply(self, name: str, words: str, today: date) -> Reply:
        """Return the answer to command `name`; `words` are what stands behind it."""
        if name == "topics":
            return self._topics(words)
        if name == "review":
            return self._review(today)
        if name == "gaps":
            return self._told_gaps()
        if name == "ask":
            return self._texts.reply("no_question", command=f"{self._sign}ask")
        if name == "help":
            return Reply(kind="control", text=f"{self._texts.text('help')}\n\n{self._menu()}")
        unknown = self._texts.text("unknown_command", command=f"{self._sign}{name}")
        return Reply(kind="control", text=f"{unknown}\n\n{self._menu()}")

    def _told_gaps(self) -> Reply:
        try:
            return Reply(kind="control", text=self._gaps())
        except Exception as error:
            logger.error("the gaps cannot be told: %s", type(error).__name__)
            return self._texts.reply("gaps_failed")

    def _menu(self) -> str:
        return "\n".join(f"{self._sign}{name}: {what}" for name, what in COMMANDS.items())

    def _topics(self, words: str) -> Reply:
        wanted = words.lower()
        found = [
            topic
            for topic in self._library.values()
            if not topic.unwritten and (wanted in topic.title.lower() or wanted in topic.key)
        ]
        if not found:
            return self._texts.reply("topics_none", words=words)
        listed = "\n".join(f"• {topic.title} ({topic.key})" for topic in found)
        buttons = found if len(found) <= MAX_BUTTONS else []
        return Reply(
            kind="control",
            text=f"{_counted(len(found), 'topic')}:\n{listed}",
            buttons=tuple(topic_button(topic) for topic in buttons),
        )

    def _review(self, today: date) -> Reply:
        topics = by_urgency(self._library, today)
        approved = sum(topic.review.status == "approved" for topic in topics)
        late = [topic for topic in topics if is_overdue(topic, today)]
        drafts = [t for t in topics if t.review.status != "approved" and t not in late]
        coming = [t for t in topics if t.review.status == "approved" and t not in late]
        parts = [f"{approved} of {_counted(len(topics), 'topic')} approved by a clinician."]
        for head, chosen in (
            ("Review overdue", late),
            ("Not approved yet", drafts),
            ("Due next", [topic for topic in coming if topic.review.due]),
        ):
            if chosen:
                parts.append(f"{head} ({len(chosen)}):\n{_lines(chosen)}")
        return Reply(kind="control", text="\n\n".join(parts))


def read_command(line: str) -> tuple[str, str]:
    """Return the name of a command in lower case, and what stands behind it; no name is help."""
    name, _, words = line.strip().partition(" ")
    return name.lower() or "help", words.strip()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _lines(topics: list[Topic]) -> str:
    lines = [
        f"• {topic.title} ({topic.key})" + (f", due {topic.review.due}" if topic.review.due else "")
        for topic in topics[:MAX_LISTED]
    ]
    rest = len(topics) - MAX_LISTED
    return "\n".join([*lines, *([f"… and {rest} more"] if rest > 0 else [])])

"""What the Slack and the Telegram channel are put together from."""

from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Iterator

from rasa.shared.exceptions import RasaException

from channels.desk import Courier, Desk
from channels.journal import Journal, SqliteJournal
from channels.journal_redis import RedisJournal
from channels.turn import Turns
from guide.clinic import Clinic
from guide.encryption import cipher
from guide.environment import SettingError, data_folder, setting
from guide.gaps import gap_store
from guide.paths import CONTENT, FAQ
from guide.staff_commands import StaffCommands
from guide.staff_gaps import gaps_text
from guide.staff_texts import StaffTexts
from guide.topics import TopicLibrary


class SettingsError(RasaException):
    """A setting of a staff channel is missing or wrong; Rasa shows it as one line."""


@contextmanager
def staff_channel() -> Iterator[None]:
    """Make every wrong setting inside an error that Rasa shows as one line."""
    try:
        yield
    except SettingError as error:
        raise SettingsError(str(error)) from error


@lru_cache(maxsize=1)
def library() -> TopicLibrary:
    """Return the topics of this checkout."""
    return TopicLibrary.load(FAQ, CONTENT / "sources.yml")


def journal(channel: str) -> Journal:
    """Return the channel's journal: in Redis if there is one, else in a file of DATA_DIR."""
    redis_url = setting("REDIS_URL")
    if redis_url:
        return RedisJournal(redis_url, channel)
    return SqliteJournal(data_folder() / "staff.db", channel)


def desk(channel: str, courier: Courier, secret: bytes, sign: str) -> Desk:
    """Return the desk of a channel.

    Args:
        channel: its name.
        courier: shows and sends messages.
        secret: button ids are made with it.
        sign: what stands before a command's name.
    """
    clinic = Clinic.load(CONTENT)
    texts = StaffTexts.load(CONTENT, clinic)
    gaps = partial(gaps_text, gap_store(), library(), clinic)
    return Desk(
        Turns(channel),
        courier,
        journal(channel),
        cipher(),
        secret,
        library(),
        texts,
        StaffCommands(library(), texts, sign, gaps),
        setting("REDIS_URL"),
    )

"""Looks over an installation: what is wrong, what is worth a look, and what to do about it."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date

import redis  # type: ignore[import-untyped]
from cryptography.fernet import InvalidToken
from redis.exceptions import RedisError  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError

from guide.check import age_problems, problems
from guide.clinic import Clinic
from guide.content import ContentError
from guide.conversations import ConversationStore, conversation_store
from guide.encryption import cipher
from guide.environment import SettingError, data_folder, given_database, setting
from guide.findings import LOOK, OK, WRONG, Finding
from guide.forgetting import retention_days
from guide.gaps import gap_store
from guide.locks import LockError, locks
from guide.paths import CONTENT, DATA, FAQ, MODEL, ROOT
from guide.slack_doctor import slack_findings
from guide.staff_settings import SlackSettings, TelegramSettings
from guide.telegram_setup import telegram_findings
from guide.topics import TopicLibrary

MIN_SECRET_BYTES = 32
REDIS_SECONDS = 3.0


def findings() -> Iterator[Finding]:
    """Yield what each part of this installation looks like. Never raises."""
    for part, examine in _PARTS:
        try:
            yield from examine()
        except (SettingError, ContentError) as error:
            yield Finding(part, WRONG, str(error))
        except InvalidToken:
            yield Finding(
                part,
                WRONG,
                "holds something that no key of STORE_KEYS opens",
                "add the older key again, at the end of STORE_KEYS",
            )
        except (SQLAlchemyError, RedisError, LockError, OSError) as error:
            # The type alone: an address with its password can stand in the message.
            yield Finding(
                part,
                WRONG,
                f"does not answer ({type(error).__name__})",
                "is it running, reachable from here, and are its address and password right?",
            )


def _content() -> Iterator[Finding]:
    found = problems()
    if found:
        yield Finding(
            "content", WRONG, f"{len(found)} contracts are broken", "see `kap-guide check`"
        )
    else:
        yield Finding("content", OK, "all contracts hold")
    if "sample" in str(Clinic.load(CONTENT).settings["name"]).lower():
        yield Finding(
            "clinic", LOOK, "clinic.yml is the sample", "put your clinic's values in its place"
        )


def _crisis_lines() -> Iterator[Finding]:
    clinic = Clinic.load(CONTENT)
    old = age_problems(clinic)
    if old:
        remedy = "call or look up each line, then write today's date beside it"
        yield Finding("crisis lines", WRONG, "; ".join(old), remedy)
        return
    oldest = min(lines.checked for lines in clinic.lines.values())
    yield Finding("crisis lines", OK, f"all were checked on {oldest} or later")


def _review() -> Iterator[Finding]:
    library = TopicLibrary.load(FAQ, CONTENT / "sources.yml")
    today = date.today().isoformat()
    approved = [topic for topic in library.values() if topic.review.status == "approved"]
    overdue = [t for t in approved if t.review.due and str(t.review.due) < today]
    total = len(library)
    what = f"{len(approved)} of {total} topics are approved, {len(overdue)} are overdue"
    if len(approved) == total and not overdue:
        yield Finding("review", OK, what)
    elif Clinic.load(CONTENT).settings["require_approved"]:
        yield Finding(
            "review", LOOK, f"{what}; the others are not answered", "see `kap-guide review`"
        )
    else:
        remedy = "let a clinician approve them (`kap-guide review`), then set require_approved"
        yield Finding("review", LOOK, f"{what}; the others are answered all the same", remedy)


def _secrets() -> Iterator[Finding]:
    cipher()
    if setting("STORE_KEYS") is None:
        yield Finding(
            "store keys",
            LOOK,
            "STORE_KEYS is not set; a key lies beside what it encrypts",
            "set STORE_KEYS (`kap-guide new-key`), and keep it apart from the backups",
        )
    else:
        yield Finding("store keys", OK, "set")
    secret = setting("WEB_SECRET")
    if secret is None:
        remedy = "set WEB_SECRET, for example to the output of `openssl rand -hex 32`"
        yield Finding(
            "web secret", LOOK, "WEB_SECRET is not set; visitors' sessions end at a restart", remedy
        )
    elif len(secret.encode()) < MIN_SECRET_BYTES:
        yield Finding(
            "web secret",
            WRONG,
            f"WEB_SECRET is shorter than {MIN_SECRET_BYTES} bytes",
            "use the output of `openssl rand -hex 32`",
        )
    else:
        yield Finding("web secret", OK, "set")


def _data_folder() -> Iterator[Finding]:
    folder = data_folder()
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        yield Finding(
            "data folder", LOOK, f"{folder} is open to others ({mode:o})", f"chmod 700 {folder}"
        )
    else:
        yield Finding("data folder", OK, f"{folder}, for this user alone")


def _retention() -> Iterator[Finding]:
    yield Finding("retention", OK, f"idle conversations are kept for {retention_days():g} days")


def _database() -> Iterator[Finding]:
    store = conversation_store()
    names = store.names()
    _open_one(store, names)
    kind = "a database server" if given_database() else "SQLite, for one process"
    yield Finding("database", OK, f"{kind}; {len(names)} conversations, the latest can be read")


def _open_one(store: ConversationStore, names: list[str]) -> None:
    head = store.head(names[-1]) if names else None
    if head is not None and head.length:
        store.turns(head, head.length - 1)


def _gaps() -> Iterator[Finding]:
    lines = gap_store().lines(date.min)
    yield Finding("gap store", OK, f"{len(lines)} lines")


def _redis() -> Iterator[Finding]:
    url = setting("REDIS_URL")
    if url:
        found = redis.Redis.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        ).info("server")
        yield Finding("Redis", OK, f"version {found['redis_version']}")
    elif given_database():
        yield Finding(
            "Redis",
            LOOK,
            "REDIS_URL is not set: sessions and limits are each process's own",
            "set REDIS_URL when more than one process answers",
        )
    else:
        yield Finding("Redis", OK, "not used; one process needs none")
    asyncio.run(_take_a_lock())
    yield Finding("locks", OK, "a conversation can be locked")


async def _take_a_lock() -> None:
    async with locks().hold("doctor"):
        pass


def _model() -> Iterator[Finding]:
    if not MODEL.is_file():
        yield Finding("model", WRONG, "there is none", "`make train`")
        return
    trained = MODEL.stat().st_mtime
    sources = [ROOT / "config.yml", ROOT / "domain.yml", *DATA.rglob("*.yml")]
    newer = [path.relative_to(ROOT) for path in sources if path.stat().st_mtime > trained]
    if newer:
        what = f"is older than {newer[0]}" + (f" and {len(newer) - 1} more" if newer[1:] else "")
        yield Finding("model", LOOK, what, "`make train`")
    else:
        yield Finding("model", OK, "newer than everything it is made from")


def _slack() -> Iterator[Finding]:
    if setting("SLACK_BOT_TOKEN"):
        yield from slack_findings(SlackSettings.load(), None)


def _telegram() -> Iterator[Finding]:
    if setting("TELEGRAM_BOT_TOKEN"):
        yield from asyncio.run(telegram_findings(TelegramSettings.load()))


_PARTS: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
    ("content", _content),
    ("crisis lines", _crisis_lines),
    ("review", _review),
    ("model", _model),
    ("secrets", _secrets),
    ("data folder", _data_folder),
    ("retention", _retention),
    ("database", _database),
    ("gap store", _gaps),
    ("Redis", _redis),
    ("Slack", _slack),
    ("Telegram", _telegram),
)

"""`kap-guide purge`, `forget`, `new-key`, `rekey`: what is kept of conversations."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Optional, TypeVar

import typer
from cryptography.fernet import InvalidToken
from redis.exceptions import RedisError  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError

from guide.command.common import console, fail
from guide.conversations import ConflictError, conversation_store
from guide.encryption import new_key as make_key
from guide.environment import SettingError
from guide.forgetting import NotForgottenError, forgetting, retention_days
from guide.locks import LockError

Result = TypeVar("Result")


def purge(
    days: Optional[float] = typer.Option(
        None, min=0, help="days without a message; otherwise RETENTION_DAYS"
    ),
) -> None:
    """Delete the conversations in which nothing was said for RETENTION_DAYS, and gap lines as old.

    Meant for a timer, every day. It can run while the assistant answers.
    """
    try:
        limit = retention_days() if days is None else days
        purged = _run(forgetting().purge(limit))
    except SettingError as error:
        fail(str(error))
    console.print(
        f"deleted {purged.conversations} conversations idle for more than {limit:g} days, "
        f"and {purged.gap_lines} lines of the gap store"
    )


def forget(
    conversation: str = typer.Argument(
        ..., help="such as web:…, slack:…, telegram:…; the person's own session or account id"
    ),
) -> None:
    """Delete one conversation everywhere, and look for it afterwards."""
    try:
        forgotten = _run(forgetting().forget(conversation))
    except SettingError as error:
        fail(str(error))
    console.print(
        f"deleted: {forgotten.turns} turns, {forgotten.gap_lines} lines of the gap store, "
        f"{forgotten.shared} entries in Redis. Looked for it again: nothing is left."
    )
    if not forgotten.turns:
        console.print("There was no such conversation in the database.", style="yellow")


def new_key() -> None:
    """Print a new key for STORE_KEYS. Put it first, keep the old one until `rekey` has run."""
    print(make_key())


def rekey() -> None:
    """Encrypt everything with the newest key of STORE_KEYS; afterwards older keys can go."""
    try:
        turns = _guarded(lambda: conversation_store().rekey())
    except SettingError as error:
        fail(str(error))
    console.print(f"{turns} turns are encrypted with the newest key")


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    return _guarded(lambda: asyncio.run(work))


def _guarded(work: Callable[[], Result]) -> Result:
    """Do the work; what can fail outside becomes one clear line without values of the database."""
    try:
        return work()
    except NotForgottenError as error:
        fail(f"{error}; call this again, and if that does not help look into the database")
    except InvalidToken:
        fail("something is encrypted with a key that STORE_KEYS lacks; add the older key again")
    except (LockError, ConflictError) as error:
        fail(f"{error}; the conversation may be going on: try again")
    except (SQLAlchemyError, RedisError, OSError) as error:
        fail(f"the database or Redis failed ({type(error).__name__}); see `kap-guide doctor`")

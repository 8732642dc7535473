"""Settings of the environment: each is `NAME` itself, or in the file that `NAME_FILE` names."""

import os
import re
from pathlib import Path

from guide.paths import ROOT


class SettingError(Exception):
    """A setting of the environment is missing or wrong. The message says which, and what to do."""


def setting(name: str, default: str | None = None) -> str | None:
    """Return the value of `name`, or what the file that `<name>_FILE` names holds.

    White space around the value does not count, and an empty value is none.

    Raises:
        SettingError: the file cannot be read.
    """
    value = os.environ.get(name, "").strip()
    if value:
        return value
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return default
    try:
        return Path(path).read_text(encoding="utf-8").strip() or default
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise SettingError(
            f"{name}_FILE: {path}: {reason}; give a file this user may read"
        ) from error


def require(name: str, what_for: str) -> str:
    """Return the value of `name`.

    Args:
        name: as for `setting`.
        what_for: what needs it, such as "the Slack channel"; for the message.

    Raises:
        SettingError: there is none.
    """
    value = setting(name)
    if value is None:
        raise SettingError(f"{name} is not set; {what_for} needs it: set {name} or {name}_FILE")
    return value


def number(name: str, default: float) -> float:
    """Return the value of `name` as a number that is not negative.

    Raises:
        SettingError: it is something else.
    """
    given = setting(name)
    if given is None:
        return default
    try:
        value = float(given)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise SettingError(f"{name} is {given!r}; give a number, such as {default:g}")
    return value


def data_folder() -> Path:
    """Return the folder of everything that is kept (`DATA_DIR`, default `var/`).

    It is made if it is missing, readable for this user alone.

    Raises:
        SettingError: it cannot be made.
    """
    folder = Path(setting("DATA_DIR") or ROOT / "var")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"DATA_DIR: {folder}: {error.strerror}; give a folder this user may write to"
        ) from error
    return folder


def given_database() -> str | None:
    """Return the address that `DATABASE_URL` gives, or None.

    Raises:
        SettingError: its file cannot be read.
    """
    given = setting("DATABASE_URL")
    # PostgreSQL's own tools write postgres://, which SQLAlchemy does not take.
    return given and re.sub("^postgres://", "postgresql://", given)


def database_url(file: str) -> str:
    """Return the address of the database: `DATABASE_URL`, or the SQLite file `file` in DATA_DIR.

    Raises:
        SettingError: DATA_DIR cannot be made.
    """
    return given_database() or f"sqlite:///{data_folder() / file}"

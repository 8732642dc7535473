"""The keys that everything kept is encrypted with."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.fernet import Fernet, MultiFernet

from guide.environment import SettingError, data_folder, require, setting

KEY_FILE = "store.key"


def cipher() -> MultiFernet:
    """Return the cipher of this installation: it encrypts with the newest key, and reads them all.

    The keys come from `STORE_KEYS`, newest first, separated by commas. Without them, and without
    a `DATABASE_URL` that other machines could share, one is made and kept in DATA_DIR.

    Raises:
        SettingError: a key is missing or is none.
    """
    given = setting("STORE_KEYS")
    if given is None and setting("DATABASE_URL"):
        given = require("STORE_KEYS", "a database of its own")
    keys = (given or _own_key(data_folder() / KEY_FILE)).split(",")
    try:
        return MultiFernet([Fernet(key.strip()) for key in keys if key.strip()])
    except ValueError as error:
        raise SettingError(
            "STORE_KEYS holds something that is no key; make one with `kap-guide new-key`"
        ) from error


def new_key() -> str:
    """Return a new key, made at random."""
    return Fernet.generate_key().decode()


def _own_key(path: Path) -> str:
    """Return the key in `path`, which is made when it is missing; two processes may try at once."""
    if not path.exists():
        # Written first and named afterwards, so that nobody reads half a key.
        with NamedTemporaryFile("w", dir=path.parent) as file:
            file.write(new_key())
            file.flush()
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text()

"""The model's hash: the model that was tested is the one that is started, on every machine.

A model archive is code to those who load it, so nothing else may be loaded.
"""

import hashlib
import hmac
from pathlib import Path

from guide.environment import setting


class ModelHashError(Exception):
    """The model is not the expected one. The message is one line, with the remedy."""


def digest(model: Path) -> str:
    """Return the SHA-256 of the model file, as hex.

    Raises:
        ModelHashError: there is no model.
    """
    found = hashlib.sha256()
    try:
        with model.open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                found.update(block)
    except OSError as error:
        raise ModelHashError(f"{model.name}: {error.strerror}; run `make train`") from error
    return found.hexdigest()


def record_of(model: Path) -> Path:
    """Return the file beside the model that holds its hash, in the form of `sha256sum`."""
    return model.with_name(f"{model.name}.sha256")


def record(model: Path) -> str:
    """Write the model's hash beside it and return it. Raises as `digest`."""
    found = digest(model)
    record_of(model).write_text(f"{found}  {model.name}\n", encoding="utf-8")
    return found


def check(model: Path) -> str:
    """Return the model's hash if it is the expected one.

    Expected is MODEL_SHA256 if it is set, and always what stands beside the model.

    Raises:
        ModelHashError: there is no model, no record of its hash, or another hash.
    """
    found = digest(model)
    try:
        recorded = record_of(model).read_text(encoding="utf-8").split()[0]
    except (OSError, IndexError) as error:
        raise ModelHashError(
            f"{record_of(model).name} is missing or empty; `make train` writes it, or copy it with "
            "the model from where it was trained"
        ) from error
    wanted = {record_of(model).name: recorded, "MODEL_SHA256": setting("MODEL_SHA256")}
    for place, value in wanted.items():
        if value is not None and not hmac.compare_digest(found, value.lower()):
            raise ModelHashError(
                f"{model.name} has the hash {found[:12]}…, {place} says {value[:12]}…; do not load "
                "it: fetch the model that was tested, or train and test again"
            )
    return found

"""`kap-guide model-hash`: show, record or check the hash of the trained model."""

import typer

from guide.command.common import fail
from guide.model_hash import ModelHashError, check, digest, record
from guide.paths import MODEL


def model_hash(
    record_it: bool = typer.Option(False, "--record", help="write it beside the model"),
    check_it: bool = typer.Option(
        False, "--check", help="compare it with the record and MODEL_SHA256"
    ),
) -> None:
    """Print the SHA-256 of the trained model."""
    task = record if record_it else check if check_it else digest
    try:
        print(task(MODEL))
    except ModelHashError as error:
        fail(str(error))

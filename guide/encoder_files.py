"""Finding the sentence encoder: as it was built, or inside the trained model."""

import tarfile
import tempfile
from pathlib import Path

from guide.embedding import FILES, EncoderMissing, SentenceEncoder
from guide.paths import ENCODER, MODEL


def find_encoder(built: Path = ENCODER, model: Path = MODEL) -> SentenceEncoder:
    """Return the encoder from the folder `built`, else from the archive `model`.

    Raises:
        EncoderMissing: neither holds a whole one.
    """
    try:
        return SentenceEncoder(built)
    except EncoderMissing:
        if not model.is_file():
            raise
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(model) as archive:
        for member in archive:
            name = Path(member.name).name
            content = archive.extractfile(member) if name in FILES else None
            if content is not None:
                (Path(scratch) / name).write_bytes(content.read())
        return SentenceEncoder(Path(scratch))

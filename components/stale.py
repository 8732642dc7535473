"""When a trained component is stale: Rasa's cache knows its settings and data, not our code."""

import hashlib
from pathlib import Path

import guide


def code_digest(*stems: str, also: tuple[Path, ...] = ()) -> str:
    """Return a digest of the modules of `guide/` whose names start with `stems`, and of `also`.

    Files of `also` that do not exist do not count.
    """
    folder = Path(guide.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        if path.stem.startswith(stems):
            digest.update(path.read_bytes())
    for path in also:
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()

"""What looking over an installation finds."""

from dataclasses import dataclass

OK, LOOK, WRONG = "ok", "look", "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        part: what was looked at, in a word or two.
        state: OK, LOOK (worth a look) or WRONG.
        what: what was found.
        remedy: what to do, if anything.
    """

    part: str
    state: str
    what: str
    remedy: str = ""

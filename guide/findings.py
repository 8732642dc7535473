"""What a check of the installation finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `problem` says what is wrong and what to do, if anything."""

    what: str
    problem: str | None = None

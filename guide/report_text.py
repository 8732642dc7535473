"""How the figures of a report are written, wherever they are shown."""

from datetime import date

from guide.report import SMALLEST, Cell, Due, Row


def number(cell: Cell) -> str:
    """Return a number; one that is too small to be shown as "<5"."""
    return f"<{SMALLEST}" if cell is None else str(cell)


def total(row: Row) -> str:
    """Return the sum of a row; "12+" where numbers below five come on top."""
    if len(row.cells) == 1:
        return number(row.cells[0])
    return f"{row.shown}+" if row.hides else str(row.shown)


def percent(share: float | None) -> str:
    """Return a share as a percentage; a dash where it may not be shown, or there is none."""
    return "–" if share is None else f"{share:.0%}"


def week(monday: date) -> str:
    """Return a week as its Monday, such as "16 Nov"."""
    return f"{monday.day} {monday:%b}"


def when(due: Due) -> str:
    """Return how far away a date is."""
    if due.days < 0:
        return f"{-due.days} days ago"
    return "today" if due.days == 0 else f"in {due.days} days"

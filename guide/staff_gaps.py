"""What patients could not get answered, in few lines for staff in Slack and Telegram.

It leaves the house, so it holds less than `kap-guide report`: only groups of five and more.
"""

from guide.clinic import Clinic
from guide.encoder_files import find_encoder
from guide.gaps import GapStore
from guide.report import SMALLEST, Report, make_report
from guide.report_text import number, percent
from guide.topics import TopicLibrary

WEEKS = 4
MOST = 8


def gaps_text(store: GapStore, library: TopicLibrary, clinic: Clinic) -> str:
    """Return the gaps of the last weeks as text.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database fails.
        guide.embedding.EncoderMissing: there is no encoder to group questions with.
    """
    return told(make_report(store, library, clinic, find_encoder(), WEEKS))


def told(report: Report) -> str:
    """Return the gaps of a report as text."""
    rates = report.rates
    head = (
        f"Last {len(report.weeks)} weeks: {number(rates.questions)} questions, "
        f"{percent(rates.answered)} answered, {percent(rates.clarified)} topics offered, "
        f"{percent(rates.unanswered)} no answer."
    )
    gaps = [gap for gap in report.gaps if gap.number is not None]
    if not gaps:
        return f"{head}\n\nNo question without a good answer came {SMALLEST} times or more."
    lines = [f"• {gap.number}× {gap.examples[0]} ({gap.id})" for gap in gaps[:MOST]]
    listed = "\n".join(lines)
    return (
        f"{head}\n\nAsked without a good answer:\n{listed}\n\n"
        "From a gap to a draft: kap-guide topic new NAME --from ID. All of it: kap-guide report."
    )

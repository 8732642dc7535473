"""`kap-guide doctor`: is this installation healthy, and what is to be done?"""

from guide.command.findings import show_findings
from guide.doctor import findings


def doctor() -> None:
    """Look over configuration, secrets, database, Redis, model, crisis lines, reviews, channels.

    Ends with 1 when something is wrong. Run it with the environment of the assistant.
    """
    show_findings(findings())

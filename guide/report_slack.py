"""A report as a digest for Slack: Block Kit, and the same as plain text.

It leaves the house, so it holds less than the page: only groups of five and more questions.
"""

from typing import Any

from guide.report import Report
from guide.report_text import number, percent, total, week, when

MOST_TOPICS = 5
MOST_GAPS = 5
MOST_DUE = 5
MAX_SECTION = 2900
"""Slack takes at most 3,000 characters in a section."""


def slack_digest(report: Report) -> dict[str, Any]:
    """Return `{"text", "blocks"}` as chat.postMessage takes them."""
    heading = f"What people asked, {week(report.since)} to {week(report.until)}"
    parts = _parts(report)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": heading}}
    ]
    for title, lines in parts:
        text = {"type": "mrkdwn", "text": _section(title, lines)}
        blocks.append({"type": "section", "text": text})
    note = "Numbers below five are shown as “<5”. The full report: kap-guide report"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _escape(note)}]})
    plain = "\n\n".join("\n".join([title, *lines]) for title, lines in parts)
    return {"text": _escape(f"{heading}\n\n{plain}\n\n{note}"), "blocks": blocks}


def _parts(report: Report) -> list[tuple[str, list[str]]]:
    """Return titles with their lines, unescaped."""
    rates = report.rates
    asked = (
        f"{number(rates.questions)} questions · {percent(rates.answered)} answered · "
        f"{percent(rates.clarified)} topics offered · {percent(rates.unanswered)} no answer"
    )
    parts = [("Answers", [asked])]
    gaps = [gap for gap in report.gaps if gap.number is not None][:MOST_GAPS]
    if gaps:
        lines = [f"• {number(gap.number)}× {gap.examples[0]} ({gap.id})" for gap in gaps]
        parts.append(("Asked without a good answer", lines))
    topics = [row for row in report.topics if row.shown][:MOST_TOPICS]
    if topics:
        parts.append(("Asked most", [f"• {total(row)} {row.name}" for row in topics]))
    disliked = [thumbs for thumbs in report.thumbs if thumbs.not_helped][:MOST_TOPICS]
    if disliked:
        lines = [
            f"• {thumbs.title} (helped {number(thumbs.helped)}, not {number(thumbs.not_helped)})"
            for thumbs in disliked
        ]
        parts.append(("Did not help", lines))
    parts.append(("Crisis replies", [total(report.crisis_replies)]))
    if report.due:
        lines = [f"• {due.name}: {due.on}, {when(due)}" for due in report.due[:MOST_DUE]]
        parts.append(("Reviews due", lines))
    return parts


def _escape(text: str) -> str:
    """Return a text in which nothing pings a channel or makes a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(title: str, lines: list[str]) -> str:
    """Return a section's text; lines that do not fit are left out."""
    text = f"*{title}*"
    for line in lines:
        longer = f"{text}\n{_escape(line)}"
        if len(longer) > MAX_SECTION:
            break
        text = longer
    return text

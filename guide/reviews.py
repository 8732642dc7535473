"""Where the review of each topic stands, in words and in order of urgency."""

from datetime import date

from guide.topics import Topic, TopicLibrary


def is_overdue(topic: Topic, today: date) -> bool:
    """Return whether the topic's texts should have been looked at again before today."""
    return topic.review.due is not None and topic.review.due < today.isoformat()


def by_urgency(library: TopicLibrary, today: date) -> list[Topic]:
    """Return all topics: overdue first, then not approved, then approved by due date."""

    def rank(topic: Topic) -> tuple[int, str, str]:
        state = 0 if is_overdue(topic, today) else 1 if topic.review.status != "approved" else 2
        return state, topic.review.due or "9999", topic.key

    return sorted(library.values(), key=rank)


def review_line(topic: Topic, today: date) -> str:
    """Return one line on who approved the topic's texts, or that nobody did."""
    review = topic.review
    if review.status != "approved":
        return "Draft: no clinician has approved this text yet."
    line = f"Approved by {review.by} on {review.on}."
    if review.due is None:
        return line
    when = "Review overdue since" if is_overdue(topic, today) else "Next review"
    return f"{line} {when} {review.due}."

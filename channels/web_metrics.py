"""What is counted about the website channel. Counts only: no words, no sessions, no addresses."""

from typing import Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from guide.reply import Reply

# The kind that a turn with several replies is counted as.
_MAIN_FIRST = ("crisis", "error", "check_in")


class WebMetrics:
    """Metrics of one channel, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._turns = Counter(
            "kap_web_turns",
            "Turns, by the kind of the main reply",
            ["kind"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "kap_web_turn_seconds",
            "Time from message to replies",
            registry=self._registry,
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )
        self._failures = Counter(
            "kap_web_failures",
            "Requests that were refused or failed, by reason",
            ["reason"],
            registry=self._registry,
        )
        self._referrals = Counter(
            "kap_web_crisis_referrals",
            "Crisis replies, by category",
            ["category"],
            registry=self._registry,
        )
        self._sessions = Counter(
            "kap_web_sessions",
            "Sessions opened, refreshed and ended",
            ["event"],
            registry=self._registry,
        )

    def turn(self, replies: Sequence[Reply], seconds: float) -> None:
        """Count a turn with its replies and its length in seconds."""
        kinds = [reply.kind for reply in replies]
        main = next((kind for kind in _MAIN_FIRST if kind in kinds), kinds[-1])
        self._turns.labels(main).inc()
        self._seconds.observe(seconds)
        for reply in replies:
            if reply.kind == "crisis":
                self._referrals.labels(reply.category or "unknown").inc()

    def failure(self, reason: str) -> None:
        """Count a refusal or failure."""
        self._failures.labels(reason).inc()

    def session(self, event: str) -> None:
        """Count what happened to a session."""
        self._sessions.labels(event).inc()

    def render(self) -> bytes:
        """Return everything in the text format of Prometheus."""
        return bytes(generate_latest(self._registry))

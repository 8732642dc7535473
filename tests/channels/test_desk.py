"""Whatever interrupts a staff message: nothing is answered twice, nothing lost without a trace."""

import asyncio
import time
from typing import Any

import pytest

from channels import desk, journal
from channels.desk import Desk
from tests.channels.slack_fake import FakeSlack
from tests.channels.staff_server import Staff, slack_channel
from tests.channels.web_server import ANSWER, CRISIS, FakeAgent

LEASE = 0.4


@pytest.fixture(autouse=True)
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LEASE_SECONDS", LEASE)
    monkeypatch.setattr(desk, "LEASE_SECONDS", LEASE)
    monkeypatch.setattr(desk, "WATCH_SECONDS", 0.1)


async def killed(staff: Staff[FakeSlack]) -> None:
    """End all work at once, as a killed process does: nothing is finished, nothing released."""
    its: Desk = staff.channel.desk
    its._closing.set()
    work = list(its._working.values())
    for task in work:
        task.cancel()
    await asyncio.gather(*work, *([its._watch] if its._watch else []), return_exceptions=True)
    its._working.clear()


async def die_at(slack: FakeSlack, step: str, agent: FakeAgent, text: str = "hello") -> None:
    """Deliver a message to a process that dies before, in the middle of, or after a step."""
    async with slack_channel(agent, slack) as staff:
        its: Desk = staff.channel.desk
        reached = asyncio.Event()

        async def stuck(*_: Any) -> Any:
            reached.set()
            await asyncio.sleep(60)

        if step == "turn":
            agent.handle_message = stuck  # type: ignore[method-assign]
        elif step == "kept":  # the turn is stored, its replies are not
            its._journal.keep = stuck  # type: ignore[method-assign]
        elif step == "sending":
            its._courier.send = stuck  # type: ignore[method-assign]
        elif step == "sent":
            send = its._courier.send

            async def sent_then_stuck(*given: Any) -> None:
                await send(*given)
                await stuck()

            its._courier.send = sent_then_stuck  # type: ignore[method-assign]
        await slack.deliver(slack.direct(text))
        await asyncio.wait_for(reached.wait(), 5)
        await killed(staff)


def shown(slack: FakeSlack) -> list[str]:
    return [message["text"] for message in slack.messages]


async def recover(slack: FakeSlack, agent: FakeAgent) -> dict[str, int]:
    """Start again and wait until nothing is open."""
    async with slack_channel(agent, slack) as staff:
        for _ in range(100):
            await asyncio.sleep(0.05)
            outcomes = await staff.outcomes()
            if "open" not in outcomes and not staff.channel.desk.is_busy():
                return outcomes
    raise AssertionError("a message stayed open")


async def test_killed_in_the_turn_it_is_answered_by_the_next_process(slack: FakeSlack) -> None:
    await die_at(slack, "turn", FakeAgent())
    assert slack.messages == []
    agent = FakeAgent()
    assert await recover(slack, agent) == {"answered": 1}
    assert [message.text for message in agent.received] == ["hello"]
    disclosure, answer = shown(slack)
    assert disclosure == "I am a program."
    assert ANSWER["text"] in answer


async def test_killed_after_the_turn_it_is_not_put_twice_into_the_conversation(
    slack: FakeSlack,
) -> None:
    await die_at(slack, "kept", FakeAgent())
    agent = FakeAgent()
    assert await recover(slack, agent) == {"answered": 1}
    assert agent.received == []
    assert ANSWER["text"] in shown(slack)[-1]


@pytest.mark.parametrize("step", ["sending", "sent"])
async def test_killed_while_sending_it_is_not_sent_twice_and_the_gap_is_told(
    slack: FakeSlack, step: str
) -> None:
    await die_at(slack, step, FakeAgent())
    agent = FakeAgent()
    assert await recover(slack, agent) == {"answered": 1}
    assert agent.received == []  # the turn was taken; its replies were kept
    told = shown(slack)
    assert told.count("I am a program.") == (1 if step == "sent" else 0)
    assert ["interrupted while it was sending" in text for text in told].count(True) == 1
    assert ANSWER["text"] in told[-1]


@pytest.mark.parametrize("step", ["sending", "sent"])
async def test_a_crisis_reply_rather_comes_twice_than_never(slack: FakeSlack, step: str) -> None:
    agent = FakeAgent()
    agent.messages = [CRISIS]
    await die_at(slack, step, agent)
    await recover(slack, FakeAgent())
    assert [CRISIS["text"] in text for text in shown(slack)] == [True] * (
        2 if step == "sent" else 1
    )


async def test_what_waited_too_long_is_not_answered_but_told(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    await die_at(slack, "turn", FakeAgent())
    monkeypatch.setattr(desk, "ANSWER_WITHIN", 0.0)
    agent = FakeAgent()
    await recover(slack, agent)
    assert agent.received == []
    (told,) = shown(slack)
    assert "was not answered" in told
    assert "988" in told


async def test_a_crisis_is_answered_however_late(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    await die_at(slack, "turn", FakeAgent())
    monkeypatch.setattr(desk, "ANSWER_WITHIN", 0.0)
    agent = FakeAgent()
    agent.level, agent.messages = "crisis", [CRISIS]
    await recover(slack, agent)
    assert CRISIS["text"] in shown(slack)[0]


async def test_a_reply_that_stays_undeliverable_is_given_up_with_a_trace(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(desk, "DELIVER_WITHIN", 0.0)
    slack.faults = [500] * 100
    async with slack_channel(FakeAgent(), slack) as staff:
        await slack.deliver(slack.direct("hello"))
        await staff.rest()
        assert await staff.outcomes() == {"undeliverable": 1}
    assert "given up" in caplog.text


async def test_a_lost_key_does_not_stop_the_rest(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    await die_at(slack, "turn", FakeAgent())
    monkeypatch.setenv("STORE_KEYS", "2" * 43 + "=")
    async with slack_channel(FakeAgent(), slack) as staff:
        await asyncio.sleep(LEASE + 0.3)
        await slack.deliver(slack.direct("again"))
        await staff.rest()
        assert await staff.outcomes() == {"unreadable": 1, "answered": 1}


async def test_two_processes_share_the_work_and_answer_once(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow process that is alive keeps its message, however long it takes."""
    for module in (journal, desk):
        monkeypatch.setattr(module, "LEASE_SECONDS", 3.0)
    slow, other = FakeAgent(), FakeAgent()
    slow.pause = 4.0
    async with slack_channel(slow, slack) as first:
        await slack.deliver(slack.direct("hello"))
        async with slack_channel(other, slack):
            await asyncio.sleep(4.5)
        await first.rest()
    assert len(slow.received) == 1
    assert other.received == []
    assert len(slack.messages) == 2


async def test_through_redis_the_next_process_answers_too(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setattr("channels.journal_redis.LEASE_SECONDS", LEASE)
    monkeypatch.setenv("REDIS_URL", redis_url)
    envelope = slack.direct("hello", ts=f"{time.time()}")
    envelope["event_id"] = f"Ev{time.time()}"
    agent = FakeAgent()
    agent.pause = 60
    async with slack_channel(agent, slack) as staff:
        assert await slack.deliver(envelope) == [200]
        await asyncio.sleep(0.1)
        await killed(staff)
    agent = FakeAgent()
    async with slack_channel(agent, slack) as staff:
        assert await slack.deliver(envelope) == [200]
        await staff.until(lambda: len(slack.messages) == 2)
        await staff.rest()
    assert len(agent.received) == 1

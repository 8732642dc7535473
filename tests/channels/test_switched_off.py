"""`kap-guide off` reaches the staff channels too: the notice with the crisis line, and no turn."""

from tests.channels.slack_fake import FakeSlack
from tests.channels.staff_server import Staff
from tests.channels.telegram_fake import FakeTelegram


async def test_on_slack(on_slack: Staff[FakeSlack]) -> None:
    service = on_slack.service
    on_slack.channel.desk._turns.switch.turn_off("a test")
    assert (await service.deliver(service.direct("can it harm the bladder?")))[-1] == 200
    await on_slack.rest()
    (posted,) = service.messages
    assert "988" in posted["text"]
    assert on_slack.agent.received == []


async def test_on_telegram(on_telegram: Staff[FakeTelegram]) -> None:
    service = on_telegram.service
    on_telegram.channel.desk._turns.switch.turn_off("a test")
    assert (await service.deliver(service.message("can it harm the bladder?")))[-1] == 200
    await on_telegram.rest()
    (sent,) = service.sent
    assert "988" in sent["text"]
    assert on_telegram.agent.received == []

"""The public listener: what it lets through, what it refuses, and what it says and keeps."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from guide.clinic import Clinic
from guide.paths import CONTENT
from tests.deploy.conftest import Production
from tests.deploy.proxy import NGINX, Answer, Proxy, Upstream, nginx, serving, settings, upstream

WEB = "/webhooks/web"
ONCE = (
    "strict-transport-security",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "cache-control",
)
HELP = Clinic.load(CONTENT).placeholders()["crisis_call"]
KIB = 1024


def post(proxy: Proxy, path: str, body: Any, token: str = "", **given: Any) -> Answer:
    headers = {"Origin": proxy.origin, "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    headers.update(given.pop("headers", {}))
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return proxy.ask(path, "POST", data, headers, **given)


def token(proxy: Proxy, **given: Any) -> str:
    opened = post(proxy, f"{WEB}/session", {"consent": True}, **given)
    assert opened.status == 201, opened.text
    return str(json.loads(opened.body)["token"])


def is_notice(answer: Answer) -> bool:
    """Return whether an answer is the static one: in the channel's form, with the crisis line."""
    (reply,) = json.loads(answer.body)["replies"]
    return reply["kind"] == "error" and HELP in reply["text"]


def well_clad(answer: Answer) -> bool:
    """Return whether every security header is there, once."""
    return all(len(answer.headers.get(name, [])) == 1 for name in ONCE)


@pytest.fixture(scope="module")
def stub() -> Iterator[Upstream]:
    with upstream() as one:
        yield one


@pytest.fixture(scope="module")
def front(stub: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx as it is delivered, in front of something that answers everything."""
    with serving(tmp_path_factory.mktemp("front"), [stub.port]) as proxy:
        yield proxy


@pytest.mark.parametrize("main", ["compose.conf", "server.conf", "kubernetes.conf"])
def test_nginx_takes_every_profile(main: str, tmp_path: Path) -> None:
    settings(tmp_path, [5005, 5006], main=main, enabled=["slack.conf", "telegram.conf"])
    done = subprocess.run(
        [nginx(), "-t", "-c", str(tmp_path / "nginx" / "main.conf")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_a_visitor_gets_answers_and_help(production: Production) -> None:
    proxy = production.proxy
    me = token(proxy)
    answer = post(proxy, f"{WEB}/messages", {"id": "message-1", "text": "is it addictive?"}, me)
    assert answer.status == 200
    assert well_clad(answer), answer.headers
    assert "answer" in [reply["kind"] for reply in json.loads(answer.body)["replies"]]
    crisis = post(proxy, f"{WEB}/messages", {"id": "message-2", "text": "i want to die"}, me)
    assert json.loads(crisis.body)["replies"][0]["kind"] == "crisis"
    assert HELP in crisis.text


def test_a_request_with_an_argument_is_the_same_without_it(production: Production) -> None:
    answer = production.proxy.ask(f"{WEB}/health?token=jo-secret")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})


HIDDEN = [
    "/",
    "/version",
    "/status",
    "/domain",
    "/model",
    "/model/parse",
    "/conversations/web:1/tracker",
    "/webhooks/rest/",
    "/webhooks/rest/webhook",
    "/webhooks/slack/events",
    "/webhooks/slack/",
    "/webhooks/telegram/webhook",
    "/webhooks/telegram/set_webhook",
    "/webhook",
    "/actions",
    f"{WEB}/ready",
    f"{WEB}/metrics",
    f"{WEB}/messages/",
    f"{WEB}/messages%00",
    f"{WEB}/../rest/webhook",
    f"{WEB}/%2e%2e/rest/webhook",
    f"{WEB}/..%2frest/webhook",
    f"{WEB}//metrics",
    f"{WEB}/metrics;/health",
    f"{WEB}/messages\\..\\metrics",
    "//webhooks/rest/webhook",
    "/WEBHOOKS/web/metrics",
    "/notice/notice.json",
    "/nginx/http.conf",
]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", HIDDEN)
def test_everything_else_is_not_there(front: Proxy, stub: Upstream, path: str, method: str) -> None:
    before = len(stub.seen)
    # Every path from an address of its own, so that none is refused for the flood of the others.
    source = f"127.0.3.{HIDDEN.index(path) + 1}"
    answer = front.ask(path, method, b"{}" if method != "GET" else None, source=source)
    assert answer.status in (400, 404)
    assert len(stub.seen) == before


def test_the_rest_channel_is_not_even_behind_the_proxy(production: Production) -> None:
    log = production.logs[1].read_text()
    assert (
        "rest" not in (production.app / "deploy" / "credentials.yml").read_text().split("\n", 1)[1]
    )

    answer = requests.get(f"http://127.0.0.1:{production.port}/webhooks/rest/", timeout=10)
    assert answer.status_code == 404, log


@pytest.mark.parametrize(
    ("file", "mine", "other"),
    [
        ("slack.conf", "/webhooks/slack/events", "/webhooks/telegram/webhook"),
        ("slack.conf", "/webhooks/slack/actions", "/webhooks/slack/"),
        ("slack.conf", "/webhooks/slack/commands", "/webhooks/slack/webhook"),
        ("telegram.conf", "/webhooks/telegram/webhook", "/webhooks/slack/events"),
    ],
)
def test_a_staff_channel_is_passed_on_when_it_is_enabled(
    file: str, mine: str, other: str, stub: Upstream, tmp_path: Path
) -> None:
    with serving(tmp_path, [stub.port], enabled=[file]) as proxy:
        answer = proxy.ask(f"{mine}?x=1", "POST", b"{}")
        assert (answer.status, answer.text) == (200, f"this is {mine}")
        assert proxy.ask(mine).status == 403
        assert proxy.ask(other, "POST", b"{}").status == 404
    assert [json.loads(line)["path"] for line in proxy.log("access.log").splitlines()][1] == mine


def test_what_reaches_an_assistant(front: Proxy, stub: Upstream) -> None:
    lies = {"X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1", "Cookie": "a=b"}
    front.ask(f"{WEB}/history?email=jo", headers=lies, source="127.0.0.9")
    _, path, headers = stub.seen[-1]
    assert path == f"{WEB}/history"
    assert headers["X-Forwarded-For"] == "127.0.0.9"
    assert headers["Host"] == f"127.0.0.1:{front.port}"
    assert not {"Forwarded", "Cookie"} & set(headers)


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 40",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Content-Length: -1",
    ],
)
def test_a_request_in_two_minds_about_its_end_is_refused(
    front: Proxy, stub: Upstream, framing: str
) -> None:
    before = len(stub.seen)
    hidden = "GET /webhooks/rest/ HTTP/1.1\r\nHost: x\r\n\r\n"
    said = f"POST {WEB}/messages HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n0\r\n\r\n{hidden}"
    answer = front.send(said.encode())
    assert answer.split(b" ")[1] in (b"400", b"501")
    assert b"this is" not in answer
    assert len(stub.seen) == before


def test_a_visitor_cannot_choose_the_address_that_is_counted(production: Production) -> None:
    statuses = [
        post(
            production.proxy,
            f"{WEB}/session",
            {"consent": True},
            headers={"X-Forwarded-For": f"10.0.0.{count}"},
            source="127.0.1.1",
        ).status
        for count in range(25)
    ]
    assert statuses[0] == 201
    assert statuses[-1] == 429


@pytest.mark.parametrize("size", [64 * KIB + 1, 10 * KIB * KIB])
def test_a_body_over_64_kib_is_refused_with_help(front: Proxy, stub: Upstream, size: int) -> None:
    before = len(stub.seen)
    answer = post(front, f"{WEB}/messages", b"x" * size)
    assert answer.status == 413
    assert is_notice(answer)
    assert well_clad(answer)
    assert len(stub.seen) == before
    assert post(front, f"{WEB}/messages", b"x" * 64 * KIB).status == 200


def test_a_flood_is_refused_with_help_and_others_are_not(front: Proxy) -> None:
    answers = [front.ask(f"{WEB}/health", source="127.0.2.1") for _ in range(200)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert all(is_notice(answer) and well_clad(answer) for answer in refused)
    assert front.ask(f"{WEB}/health", source="127.0.2.2").status == 200


def test_headers_are_there_once_on_every_kind_of_answer(production: Production) -> None:
    for path in (f"{WEB}/health", f"{WEB}/", f"{WEB}/kap-chat.js", f"{WEB}/crisis-protocol", "/no"):
        answer = production.proxy.ask(path)
        assert well_clad(answer), (path, answer.headers)
        assert answer.headers["server"] == ["nginx"]


def test_plain_http_is_sent_to_tls_without_its_arguments(front: Proxy) -> None:
    answer = front.ask_plainly(f"{WEB}/?name=jo")
    assert answer.status == 308
    assert answer.headers["location"] == [f"https://127.0.0.1{WEB}/"]


def test_without_assistants_the_crisis_lines_and_the_widget_stay(tmp_path: Path) -> None:
    with upstream() as one, serving(tmp_path, [one.port]) as proxy:
        widget = proxy.ask(f"{WEB}/kap-chat.js")
        assert widget.status == 200
        one.stop()
        for answer in (
            post(proxy, f"{WEB}/messages", {"id": "message-1", "text": "hello"}),
            post(proxy, f"{WEB}/session", {"consent": True}),
        ):
            assert answer.status == 502
            assert is_notice(answer)
            assert well_clad(answer)
            assert answer.headers["access-control-allow-origin"] == ["*"]
        assert proxy.ask(f"{WEB}/kap-chat.js").body == widget.body


def test_a_dead_assistant_is_passed_over(stub: Upstream, tmp_path: Path) -> None:
    with serving(tmp_path, [9, stub.port]) as proxy:
        for _ in range(5):
            assert post(proxy, f"{WEB}/messages", b"{}").status == 200


def test_logs_hold_nothing_of_a_person(tmp_path: Path) -> None:
    secrets = ["jo-secret", "555-01-4321", "127.0.0.7"]
    with upstream() as one, serving(tmp_path, [one.port]) as proxy:
        given: dict[str, Any] = {"source": "127.0.0.7"}
        headers = {"Referer": "https://x.example/jo-secret", "User-Agent": "jo-secret"}
        proxy.ask(f"{WEB}/health?name=jo-secret", headers=headers, **given)
        proxy.ask("/jo-secret?ssn=555-01-4321", headers=headers, **given)
        proxy.ask(
            f"{WEB}/history?jo-secret", headers={"Authorization": "Bearer jo-secret"}, **given
        )
        post(proxy, f"{WEB}/messages", b"jo-secret " * 7 * KIB, **given)
        for _ in range(100):
            proxy.ask(f"{WEB}/health?jo-secret", **given)
        one.stop()
        post(proxy, f"{WEB}/messages?jo-secret", b"jo-secret", **given)
    lines = [json.loads(line) for line in proxy.log("access.log").splitlines()]
    assert {line["status"] for line in lines} >= {200, 404, 413, 429, 502}
    assert {line["path"] for line in lines} >= {f"{WEB}/health", f"{WEB}/messages", "other"}
    for log in ("access.log", "error.log"):
        assert not [secret for secret in secrets if secret in proxy.log(log)], log


def test_the_switch_reaches_visitors_and_is_turned_back(production: Production) -> None:
    proxy = production.proxy
    me = token(proxy, source="127.0.4.1")

    def kinds(number: int, text: str = "is it addictive?") -> list[str]:
        body = {"id": f"message-{number}", "text": text}
        answer = post(proxy, f"{WEB}/messages", body, me, source="127.0.4.1")
        replies = json.loads(answer.body)["replies"]
        assert answer.status == 200
        if replies[0]["kind"] == "notice":
            assert HELP in replies[0]["text"]
            assert replies[0]["contacts"]
        return [reply["kind"] for reply in replies]

    assert "answer" in kinds(1)
    assert production.run("off", "--reason", "a wrong answer was reported").returncode == 0
    try:
        assert kinds(2) == ["notice"]
        assert kinds(3, "i want to die") == ["notice"]
        assert kinds(4, "long " * 1000) == ["notice"]
        opened = post(proxy, f"{WEB}/session", {"consent": True}, source="127.0.4.1")
        assert [reply["kind"] for reply in json.loads(opened.body)["replies"]] == ["notice"]
        history = proxy.ask(
            f"{WEB}/history", headers={"Authorization": f"Bearer {me}"}, source="127.0.4.1"
        )
        said = json.loads(history.body)["messages"]
        assert [message["reply"]["kind"] for message in said] == ["notice"]
    finally:
        assert production.run("on").returncode == 0
    assert "answer" in kinds(5)


def test_the_configuration_never_names_what_must_stay_inside() -> None:
    text = "".join(path.read_text() for path in NGINX.rglob("*.conf"))
    assert "rest" not in [part for part in text.replace("/", " ").split() if part == "rest"]
    assert "metrics" not in text

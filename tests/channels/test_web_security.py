"""What a stranger tries at the website channel, and what the stock channels let through."""

import asyncio
import base64
import json
import time
from typing import Any

import jwt
import pytest

from channels.web_sessions import ALGORITHM, AUDIENCE
from tests.channels.web_server import SETTINGS, Visitor, WebServer, serving

SECRET_WORDS = "my name is Jo Quixandra"


def shows_the_safety_message(body: Any) -> bool:
    reply = body["replies"][0]
    return reply["kind"] == "error" and "988" in reply["text"] and bool(reply["contacts"])


async def messages(visitor: Visitor, body: Any, **headers: str) -> tuple[int, Any]:
    return await visitor.call("POST", "/messages", json=body, headers=headers)


# Sessions


async def test_without_a_session_nobody_is_answered(web: WebServer) -> None:
    for method, path, body in (
        ("POST", "/messages", {"id": "message-1", "text": "hi"}),
        ("POST", "/session/refresh", {}),
        ("DELETE", "/session", None),
        ("GET", "/history", None),
    ):
        status, answer = await web.visitor().call(method, path, json=body)
        assert (status, answer["error"]) == (401, "no_session")
        assert shows_the_safety_message(answer)
    assert not web.agent.received


async def test_a_session_needs_consent(web: WebServer) -> None:
    for body in ({}, {"consent": False}, {"consent": True, "sid": "mine"}, []):
        assert (await web.visitor().call("POST", "/session", json=body))[0] == 400


async def test_nobody_reads_or_continues_another_visitors_conversation(web: WebServer) -> None:
    mine = await web.visitor().open()
    theirs = await web.visitor().open()
    await mine.send(text="my secret")
    await theirs.send(text="hello")
    assert "my secret" not in await theirs.texts()
    assert web.agent.received[0].sender_id != web.agent.received[1].sender_id


async def test_ids_are_unguessable(web: WebServer) -> None:
    tokens = [(await web.visitor().open()).opened["token"] for _ in range(5)]
    ids = {jwt.decode(token, options={"verify_signature": False})["sid"] for token in tokens}
    assert len(ids) == 5
    assert all(len(base64.urlsafe_b64decode(id)) >= 16 for id in ids)


def forged(**changes: Any) -> list[str]:
    now = time.time()
    claims = {"sid": "U0STAFF", "born": now, "exp": now + 999, "aud": AUDIENCE, **changes}
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return [
        f"{header}.{payload}.",
        jwt.encode(claims, "x" * 32, ALGORITHM),
        jwt.encode({**claims, "aud": "other"}, SETTINGS.secret, ALGORITHM),
        jwt.encode({"sid": "U0STAFF", "aud": AUDIENCE}, SETTINGS.secret, ALGORITHM),
        jwt.encode(claims, SETTINGS.secret + b"s", "HS512"),
        "a.b.c",
        "",
    ]


@pytest.mark.parametrize("token", forged())
async def test_a_forged_token_is_refused(web: WebServer, token: str) -> None:
    visitor = web.visitor()
    visitor.headers["Authorization"] = f"Bearer {token}"
    status, _ = await visitor.send(text="hi")
    assert status == 401


async def test_an_ended_session_cannot_be_replayed(web: WebServer) -> None:
    visitor = await web.visitor().open()
    _, fresh = await visitor.call("POST", "/session/refresh", json={})
    await visitor.call("DELETE", "/session")
    for token in (visitor.opened["token"], fresh["token"]):
        visitor.headers["Authorization"] = f"Bearer {token}"
        assert (await visitor.call("POST", "/session/refresh", json={}))[0] == 401
        assert (await visitor.call("GET", "/history"))[0] == 401


async def test_refreshing_does_not_go_on_for_ever() -> None:
    async with serving(session_hours=0.5 / 3600) as web:
        visitor = await web.visitor().open()
        assert visitor.opened["expires_in"] == 0
        await asyncio.sleep(0.6)
        assert (await visitor.call("POST", "/session/refresh", json={}))[0] == 401


# Messages


@pytest.mark.parametrize(
    "extra",
    [
        {"sender": "U0STAFF"},
        {"sender_id": "U0STAFF"},
        {"session_id": "U0STAFF"},
        {"input_channel": "slack"},
        {"metadata": {"button": True}},
        {"button": "x"},
        {"payload": "/restart"},
    ],
    ids=lambda extra: next(iter(extra)),
)
async def test_a_forged_sender_channel_or_metadata_is_refused(
    web: WebServer, extra: dict[str, Any]
) -> None:
    visitor = await web.visitor().open()
    status, body = await messages(visitor, {"id": "message-1", "text": "hi", **extra})
    assert (status, body["error"]) == (400, "bad_message")
    assert not web.agent.received


@pytest.mark.parametrize("text", ["/restart", "/session_start", '/faq{"topic": "x"}', "//greet"])
async def test_a_typed_intent_is_no_button(web: WebServer, text: str) -> None:
    visitor = await web.visitor().open()
    await visitor.send(text=text)
    assert web.agent.received[0].metadata == {"button": False}


async def test_a_button_that_was_not_offered_does_nothing(web: WebServer) -> None:
    mine = await web.visitor().open()
    theirs = await web.visitor().open()
    starter = theirs.opened["starters"][0]["id"]
    for button in ("/restart", "/tell_more", "", starter, "A" * 24, "é"):
        status, body = await mine.send(button=button)
        assert (status, body["error"]) == (404, "unknown_button")
        assert shows_the_safety_message(body)
    assert not web.agent.received


@pytest.mark.parametrize(
    "body",
    [
        [],
        "hi",
        3,
        {"text": "hi"},
        {"id": "message-1"},
        {"id": "message-1", "text": None},
        {"id": "message-1", "text": 3},
        {"id": "message-1", "text": ["hi"]},
        {"id": 3, "text": "hi"},
        {"id": "short", "text": "hi"},
        {"id": "x" * 65, "text": "hi"},
        {"id": "../../etc/passwd", "text": "hi"},
        {"id": "message-1\n", "text": "hi"},
    ],
    ids=str,
)
async def test_a_body_of_another_form_is_refused(web: WebServer, body: Any) -> None:
    visitor = await web.visitor().open()
    status, answer = await messages(visitor, body)
    assert status == 400
    assert shows_the_safety_message(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"\xff\xfe{}",
        b'{"id": "message-1", "text": NaN}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        '{"id": "message-1", "text": "hi"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_malformed_json_is_refused(web: WebServer, body: bytes) -> None:
    visitor = await web.visitor().open()
    status, answer = await visitor.call(
        "POST", "/messages", data=body, headers={"Content-Type": "application/json"}
    )
    assert (status, answer["error"]) == (400, "bad_json")


async def test_half_a_surrogate_pair_and_control_signs_do_no_harm(web: WebServer) -> None:
    visitor = await web.visitor().open()
    for number, text in enumerate((r"\ud83d", r"\u0000\u0007", r"\u202e\u2066", "")):
        status, _ = await visitor.call(
            "POST",
            "/messages",
            data=f'{{"id": "message-{number}", "text": "{text}"}}',
            headers={"Content-Type": "application/json; charset=utf-8"},
        )
        assert status == 200
    assert (await visitor.call("GET", "/history"))[0] == 200


async def test_a_body_above_64_kb_is_refused(web: WebServer) -> None:
    visitor = await web.visitor().open()
    body = {"id": "message-1", "text": "a" * 70_000}
    status, answer = await messages(visitor, body)
    assert (status, answer["error"]) == (413, "body_too_large")


async def test_a_huge_body_without_a_length_is_cut_off(web: WebServer) -> None:
    visitor = await web.visitor().open()
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        for _ in range(1000):
            sent += 65536
            yield b"a" * 65536
            await asyncio.sleep(0)

    try:
        status, _ = await visitor.call(
            "POST", "/messages", data=endless(), headers={"Content-Type": "application/json"}
        )
        assert status == 413
    except OSError:
        pass  # the server closed the connection, which is as good
    assert sent < 1000 * 65536
    assert (await web.visitor().call("GET", "/health"))[0] == 200


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json", None],
)
async def test_what_a_page_can_send_without_asking_is_refused(
    web: WebServer, content_type: str | None
) -> None:
    visitor = await web.visitor().open()
    headers = {"Content-Type": content_type} if content_type else {}
    status, body = await visitor.call(
        "POST", "/messages", data=b'{"id": "message-1", "text": "hi"}', headers=headers
    )
    assert (status, body["error"]) == (415, "not_json")


# Origins


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://clinic.example.evil.example",
        "http://clinic.example",
    ],
)
async def test_a_page_of_another_website_gets_nothing(web: WebServer, origin: str) -> None:
    theirs = web.visitor(origin)
    status, body = await theirs.call("POST", "/session", json={"consent": True})
    assert (status, body["error"]) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in theirs.latest.headers
    stolen = await web.visitor().open()
    theirs.headers["Authorization"] = stolen.headers["Authorization"]
    assert (await theirs.send(text="hi"))[0] == 403
    assert (await theirs.call("GET", "/history"))[0] == 403
    assert (await theirs.call("DELETE", "/session"))[0] == 403
    await theirs.call("OPTIONS", "/messages", headers={"Access-Control-Request-Method": "POST"})
    assert "Access-Control-Allow-Origin" not in theirs.latest.headers


async def test_a_page_of_the_clinics_website_is_served(web: WebServer) -> None:
    theirs = await web.visitor("https://clinic.example").open()
    assert theirs.latest.headers["Access-Control-Allow-Origin"] == "https://clinic.example"
    assert "Access-Control-Allow-Credentials" not in theirs.latest.headers
    await theirs.call("OPTIONS", "/messages", headers={"Access-Control-Request-Method": "POST"})
    allowed = theirs.latest.headers["Access-Control-Allow-Headers"]
    assert allowed == "Authorization, Content-Type"
    assert (await theirs.send(text="hi"))[0] == 200


async def test_without_an_origin_nothing_is_changed(web: WebServer) -> None:
    status, body = await web.visitor(None).call("POST", "/session", json={"consent": True})
    assert (status, body["error"]) == (403, "origin_missing")


# Floods


async def test_a_flood_of_one_visitor_is_slowed_down() -> None:
    async with serving(session_messages="3/minute") as web:
        visitor = await web.visitor().open()
        for _ in range(3):
            assert (await visitor.send(text="hi"))[0] == 200
        status, body = await visitor.send(text="hi")
        assert (status, body["error"]) == (429, "too_many_requests")
        assert shows_the_safety_message(body)
        assert 1 <= int(visitor.latest.headers["Retry-After"]) <= 60
        assert (await (await web.visitor().open()).send(text="hi"))[0] == 200


async def test_a_flood_from_one_address_is_slowed_down() -> None:
    async with serving(address_messages="3/minute", address_sessions="2/minute") as web:
        first, second = await web.visitor().open(), await web.visitor().open()
        assert (await web.visitor().call("POST", "/session", json={"consent": True}))[0] == 429
        statuses = [(await v.send(text="hi"))[0] for v in (first, second, first, second)]
        assert statuses == [200, 200, 200, 429]


async def test_addresses_are_believed_from_trusted_proxies_only() -> None:
    body = {"consent": True}
    async with serving(address_sessions="1/minute") as web:
        for address, expected in (("203.0.113.1", 201), ("203.0.113.2", 429)):
            status, _ = await web.visitor().call(
                "POST", "/session", json=body, headers={"X-Forwarded-For": address}
            )
            assert status == expected
    async with serving(address_sessions="1/minute", proxies=1) as web:
        for forwarded, expected in (
            ("203.0.113.1", 201),
            ("203.0.113.2", 201),
            ("1.2.3.4, 203.0.113.2", 429),
            ("2001:db8::1", 201),
            ("2001:db8::2", 429),
        ):
            status, _ = await web.visitor().call(
                "POST", "/session", json=body, headers={"X-Forwarded-For": forwarded}
            )
            assert status == expected, forwarded


# Failures


async def test_every_failure_shows_the_safety_message_and_logs_no_words(
    web: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    visitor = await web.visitor().open()
    web.agent.error = RuntimeError(SECRET_WORDS)
    web.agent.messages = []
    for text in (SECRET_WORDS, SECRET_WORDS * 200):
        status, body = await visitor.send(text=text)
        assert status in (500, 503)
        assert shows_the_safety_message(body)
    assert (await web.visitor().call("POST", "/session", json={"consent": True}))[0] == 500
    web.agent.error = None
    status, body = await visitor.send(text=SECRET_WORDS)  # an empty reply
    assert status == 503
    assert shows_the_safety_message(body)
    web.agent.ready = False
    status, body = await visitor.send(text=SECRET_WORDS)
    assert (status, body["error"]) == (503, "not_ready")
    assert "Quixandra" not in caplog.text


async def test_a_dead_database_is_told_as_a_failure(web: WebServer) -> None:
    visitor = await web.visitor().open()

    async def fails(*given: Any) -> None:
        raise OSError("no database")

    for name in ("retrieve", "retrieve_full_tracker", "get_or_create_tracker", "save"):
        setattr(web.agent.tracker_store, name, fails)
    for call in (
        visitor.send(text="hi"),
        visitor.send(button=visitor.opened["starters"][0]["id"]),
        visitor.call("GET", "/history"),
    ):
        status, body = await call
        assert status in (500, 503)
        assert shows_the_safety_message(body)


async def test_markup_comes_back_as_text_in_json_only(web: WebServer) -> None:
    visitor = await web.visitor().open()
    markup = "<script>alert(1)</script>"
    await visitor.send(text=markup)
    assert markup in await visitor.texts()
    assert visitor.latest.headers["Content-Type"] == "application/json"
    assert visitor.latest.headers["Cache-Control"] == "no-store"
    async with web.http.get(f"{web.url}/{markup}") as answer:
        assert answer.status == 404
        assert "<script>" not in await answer.text()


async def test_unfinished_requests_do_not_stop_the_others(web: WebServer) -> None:
    idle = []
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", web.port)
        writer.write(
            b"POST /webhooks/web/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{"
        )
        idle.append(writer)
    assert (await web.visitor().call("GET", "/health"))[0] == 200
    for writer in idle:
        writer.close()

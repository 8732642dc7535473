"""The website channel: what the chat widget talks to. `web_openapi.yml` describes it."""

import asyncio
import functools
import hashlib
import hmac
import logging
import re
import time
from typing import Any, Awaitable, Callable, Dict, List, Optional

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.turn import Incoming, Turns
from channels.web_conversations import Conversations
from channels.web_health import readiness
from channels.web_http import (
    Refusal,
    add_headers,
    address_of,
    check_origin,
    is_direct_and_near,
    json_body,
    limit_body,
)
from channels.web_limits import RateLimits
from channels.web_memory import IdReusedError, Ledger, LostTurnError, Outcome, memory
from channels.web_metrics import WebMetrics
from channels.web_pages import Page, Pages
from channels.web_sessions import Session, SessionError, Sessions
from channels.web_settings import WebSettings, from_environment
from guide.clinic import Clinic
from guide.gaps import gap_store
from guide.paths import CONTENT, FAQ
from guide.reply import Reply
from guide.topics import TopicLibrary

logger = logging.getLogger(__name__)

MAX_TEXT = 2000
# A text above the limit is assessed for its safety all the same; with one of these levels it is
# answered as it stands.
ANSWERED_AT_ANY_LENGTH = frozenset({"crisis", "check_in", "error"})
# A turn with an error and nothing but these beside it has failed.
WITHOUT_AN_ANSWER = frozenset({"error", "disclosure", "check_in"})
MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
WIDGET_SECONDS = 300

Handler = Callable[[Request], Awaitable[Outcome]]


class WebChannel(InputChannel):
    """Serves the chat of the clinic's website below `/webhooks/web`."""

    def __init__(
        self, settings: WebSettings, clinic: Clinic, library: TopicLibrary, pages: Pages
    ) -> None:
        kept = memory(settings.redis_url)
        self.settings = settings
        self.turns = Turns(self.name())
        self.gaps = gap_store()
        self.sessions = Sessions(
            settings.secret, settings.token_minutes, settings.session_hours, kept
        )
        self.ledger = Ledger(kept)
        self.limits = RateLimits(settings.redis_url)
        self.metrics = WebMetrics()
        self.conversations = Conversations(settings.secret, clinic, library)
        self.pages = pages

    @classmethod
    def name(cls) -> str:
        """Return the name in the channel's address and in front of its conversations."""
        return "web"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> "WebChannel":
        """Return the channel with its settings from credentials.yml and the environment.

        Raises:
            SettingsError: a setting is wrong.
            ContentError: a content file is damaged.
        """
        clinic = Clinic.load(CONTENT)
        library = TopicLibrary.load(FAQ, CONTENT / "sources.yml")
        return cls(from_environment(credentials, clinic), clinic, library, Pages(clinic))

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the routes of the channel."""
        routes = Blueprint("web_webhook")
        for path, method, handler in (
            ("/session", "POST", self._open),
            ("/session", "DELETE", self._end),
            ("/session/refresh", "POST", self._refresh),
            ("/messages", "POST", self._message),
            ("/history", "GET", self._history),
        ):
            # `stream` leaves the body unread until the handler has set its limit.
            routes.add_route(
                self._guarded(handler),
                path,
                methods=[method],
                stream=True,
                name=f"{method.lower()}_{handler.__name__.strip('_')}",
            )
        for path, page in (
            ("/health", self._health),
            ("/ready", self._ready),
            ("/metrics", self._metrics),
            ("/kap-chat.js", self._widget),
            ("/pages.css", self._style),
            ("/icon.svg", self._icon),
            ("/crisis-protocol", self._protocol),
            ("/", self._sample),
        ):
            # Sanic marks a handler with its blueprint's name, which a bound method does not allow.
            routes.add_route(
                functools.partial(page), path, methods=["GET"], name=page.__name__.strip("_")
            )
        for path in ("/session", "/session/refresh", "/messages", "/history"):
            routes.add_route(
                _preflight, path, methods=["OPTIONS"], name=f"preflight{path.replace('/', '_')}"
            )

        @routes.middleware("response")
        async def secure(request: Request, answer: HTTPResponse) -> None:
            add_headers(request, answer, self.settings)

        return routes

    # Sessions

    async def _open(self, request: Request) -> Outcome:
        body = await json_body(request)
        if body != {"consent": True}:
            raise Refusal(400, "consent_missing")
        await self._limit(self.settings.address_sessions, "sessions", self._address(request))
        agent = _agent(request)
        session = self.sessions.open()
        replies = [await self.turns.say(agent, session.conversation, "utter_disclosure")]
        self.metrics.session("opened")
        return Outcome(
            201,
            {
                **self.sessions.token(session),
                "replies": await self._rendered(agent, session, replies),
                "starters": self.conversations.buttons(
                    session.conversation, self.conversations.starters
                ),
            },
        )

    async def _refresh(self, request: Request) -> Outcome:
        session = await self.sessions.check(request.headers.get("authorization", ""))
        if await json_body(request) != {}:
            raise Refusal(400, "bad_json")
        await self._limit(self.settings.session_messages, "refreshes", session.id)
        token = self.sessions.token(session)
        self.metrics.session("refreshed")
        return Outcome(200, token)

    async def _end(self, request: Request) -> Outcome:
        # A session that has ended can end again: the first time something may have failed.
        authorization = request.headers.get("authorization", "")
        session = await self.sessions.check(authorization, ended_too=True)
        # First no new turn may begin, then the conversation can go.
        await self.sessions.end(session)
        await self.turns.forget(session.conversation)
        self.metrics.session("ended")
        return Outcome(200, {"ended": True, "deleted": True})

    async def _history(self, request: Request) -> Outcome:
        session = await self.sessions.check(request.headers.get("authorization", ""))
        await self._limit(self.settings.session_messages, "history", session.id)
        agent = _agent(request)
        starters = self.conversations.buttons(session.conversation, self.conversations.starters)
        messages = await self.conversations.history(agent, session.conversation)
        return Outcome(200, {"messages": messages, "starters": starters})

    # Messages

    async def _message(self, request: Request) -> Outcome:
        session = await self.sessions.check(request.headers.get("authorization", ""))
        body = await json_body(request)
        message_id, kind, value = _message_of(body)
        await self._limit(self.settings.address_messages, "messages", self._address(request))
        await self._limit(self.settings.session_messages, "messages", session.id)
        agent = _agent(request)
        # Keyed, so that what is kept for a while says nothing about what was written.
        digest = hmac.new(self.settings.secret, f"{kind}\n{value}".encode(), hashlib.sha256)
        try:
            return await self.ledger.once(
                f"turn:{session.id}:{message_id}",
                digest.hexdigest(),
                functools.partial(self._turn, agent, session, message_id, kind, value),
            )
        except IdReusedError as error:
            raise Refusal(409, "message_id_reused") from error
        except LostTurnError as error:
            raise Refusal(503, "busy") from error

    async def _turn(
        self, agent: Agent, session: Session, message_id: str, kind: str, value: str, again: bool
    ) -> Outcome:
        started = time.perf_counter()
        if kind == "button":
            button = await self.conversations.resolve(agent, session.conversation, value)
            if button is None:
                raise Refusal(404, "unknown_button")
            incoming = Incoming(session.conversation, button.payload, True, message_id, again)
            replies = await self.turns.take(agent, incoming)
        elif len(value) > MAX_TEXT and not await self._answered_anyway(agent, value):
            replies = [await self.turns.say(agent, session.conversation, "utter_too_long")]
        else:
            replies = await self.turns.take(
                agent, Incoming(session.conversation, value, False, message_id, again)
            )
        if await self.sessions.ended(session):
            # Ended while this turn was under way: nothing of it stays.
            await self.turns.forget(session.conversation)
        self.metrics.turn(replies, time.perf_counter() - started)
        kinds = {reply.kind for reply in replies}
        failed = "error" in kinds and kinds <= WITHOUT_AN_ANSWER
        if failed:
            self.metrics.failure("turn")
        body: Dict[str, Any] = {"replies": await self._rendered(agent, session, replies)}
        return Outcome(503, {"error": "turn_failed", **body}) if failed else Outcome(200, body)

    async def _answered_anyway(self, agent: Agent, text: str) -> bool:
        """Return whether a text that is too long needs an answer as it stands."""
        parsed = await agent.parse_message(text.strip())
        return parsed.get("safety", {}).get("level", "error") in ANSWERED_AT_ANY_LENGTH

    async def _rendered(
        self, agent: Agent, session: Session, replies: List[Reply]
    ) -> List[Dict[str, Any]]:
        country = None
        if any(reply.kind in ("crisis", "check_in") for reply in replies):
            try:
                country = await self.conversations.country(agent, session.conversation)
            except Exception as error:
                # The clinic's own lines are better than none.
                logger.error("the country is unknown: %s", type(error).__name__)
        return [
            self.conversations.render(session.conversation, reply, country) for reply in replies
        ]

    # Around every request

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[HTTPResponse]]:
        """Return the handler with its checks; whatever happens, there is an answer to show."""

        async def guarded(request: Request) -> HTTPResponse:
            headers: Dict[str, str] = {}
            try:
                limit_body(request)
                check_origin(request, self.settings)
                outcome = await handler(request)
            except asyncio.CancelledError:
                raise
            except SessionError as error:
                outcome = self._failure(401, error.code)
                headers = {"WWW-Authenticate": "Bearer"}
            except Refusal as error:
                outcome = self._failure(error.status, error.code)
                headers = error.headers
            except Exception as error:
                # The type alone: a message could quote what the person wrote.
                logger.error("a request failed with %s", type(error).__name__)
                outcome = self._failure(500, "failed")
            return response.json(outcome.body, outcome.status, headers)

        return guarded

    def _failure(self, status: int, code: str) -> Outcome:
        """Return the static safety message as an answer."""
        self.metrics.failure(code)
        reply = self.conversations.render("", self.turns.static_message)
        return Outcome(status, {"error": code, "replies": [reply]})

    async def _limit(self, rules: str, kind: str, who: str) -> None:
        seconds = await self.limits.wait(rules, kind, who)
        if seconds:
            raise Refusal(429, "too_many_requests", {"Retry-After": str(seconds)})

    def _address(self, request: Request) -> str:
        return address_of(request, self.settings.proxies)

    # Operation

    async def _health(self, request: Request) -> HTTPResponse:
        return response.json({"status": "ok"})

    async def _ready(self, request: Request) -> HTTPResponse:
        parts = await readiness(getattr(request.app.ctx, "agent", None))
        ready = all(parts.values())
        shown = {name: "ok" if works else "down" for name, works in parts.items()}
        return response.json(
            {"status": "ready" if ready else "not ready", **shown}, 200 if ready else 503
        )

    async def _metrics(self, request: Request) -> HTTPResponse:
        if not is_direct_and_near(request):
            return response.json({"error": "not_from_here"}, 403)
        return response.raw(
            self.metrics.render(), content_type="text/plain; version=0.0.4; charset=utf-8"
        )

    # Pages

    async def _widget(self, request: Request) -> HTTPResponse:
        # Public code, for the pages of every website; they may check its fingerprint.
        return _cached(
            request,
            self.pages.widget,
            {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"},
        )

    async def _style(self, request: Request) -> HTTPResponse:
        return _cached(request, self.pages.style, {})

    async def _icon(self, request: Request) -> HTTPResponse:
        return _cached(request, self.pages.icon, {})

    async def _sample(self, request: Request) -> HTTPResponse:
        return _shown(self.pages.sample(request.path.rstrip("/")))

    async def _protocol(self, request: Request) -> HTTPResponse:
        base = request.path.rstrip("/").rpartition("/")[0]
        return _shown(await asyncio.to_thread(self.pages.protocol, base, self.gaps))


async def _preflight(request: Request) -> HTTPResponse:
    return response.empty()


def _agent(request: Request) -> Agent:
    agent = getattr(request.app.ctx, "agent", None)
    if agent is None or not agent.is_ready():
        raise Refusal(503, "not_ready")
    return agent


def _message_of(body: Dict[str, Any]) -> "tuple[str, str, str]":
    """Return id, kind (`text` or `button`) and value of a message.

    Raises:
        Refusal: the body is of another form. Unknown keys are refused too, so that nobody can think
            that a sender or metadata of their own would count.
    """
    kinds = [kind for kind in ("text", "button") if kind in body]
    if len(kinds) != 1 or set(body) != {"id", *kinds}:
        raise Refusal(400, "bad_message")
    message_id, value = body["id"], body[kinds[0]]
    if not isinstance(value, str) or not isinstance(message_id, str):
        raise Refusal(400, "bad_message")
    if not MESSAGE_ID.fullmatch(message_id):
        raise Refusal(400, "bad_message_id")
    # Half a surrogate pair can be sent in JSON, but written nowhere.
    return message_id, kinds[0], value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _shown(page: Page) -> HTTPResponse:
    return response.raw(page.body, content_type=page.content_type)


def _cached(request: Request, page: Page, headers: Dict[str, str]) -> HTTPResponse:
    headers = {**headers, "Cache-Control": f"public, max-age={WIDGET_SECONDS}", "ETag": page.etag}
    if request.headers.get("if-none-match") == page.etag:
        return response.empty(304, headers)
    return response.raw(page.body, headers=headers, content_type=page.content_type)

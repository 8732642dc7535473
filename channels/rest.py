"""The channel for tools and tests: JSON over HTTP, loopback only. Production does not have it."""

import ipaddress
from typing import Any, Awaitable, Callable, Dict, List

from rasa.core.agent import Agent
from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.turn import Incoming, Turns


class RestChannel(InputChannel):
    """Takes `{"sender", "message" | "payload", "explain"?}` at `/webhooks/rest/webhook`.

    Answers with the list of replies; with `explain: true`, with `{"replies", "understanding"}`.
    """

    @classmethod
    def name(cls) -> str:
        """Return the name in the channel's address and in front of its conversations."""
        return "rest"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the routes of the channel."""
        webhook = Blueprint("rest_webhook")
        turns = Turns(self.name(), recorded=False)

        @webhook.get("/")
        async def health(request: Request) -> HTTPResponse:
            ready = request.app.ctx.agent is not None and request.app.ctx.agent.is_ready()
            return response.json({"status": "ok" if ready else "loading"}, 200 if ready else 503)

        @webhook.post("/webhook")
        async def receive(request: Request) -> HTTPResponse:
            if not ipaddress.ip_address(request.ip).is_loopback:
                return response.json({"error": "this channel answers loopback only"}, 403)
            try:
                body = request.json
                incoming = incoming_from(body)
            except Exception:
                return response.json(
                    {"error": 'send JSON such as {"sender": "me", "message": "hello"}'}, 400
                )
            agent: Agent = request.app.ctx.agent
            replies = [reply.as_dict() for reply in await turns.take(agent, incoming)]
            if not body.get("explain"):
                return response.json(replies)
            tracker = await agent.tracker_store.retrieve(incoming.conversation)
            return response.json({"replies": replies, "understanding": understanding(tracker)})

        return webhook


def incoming_from(body: Any) -> Incoming:
    """Return the message that a request body holds.

    Raises:
        ValueError: the body is not of the channel's form.
    """
    if not isinstance(body, dict) or not isinstance(body.get("sender"), str) or not body["sender"]:
        raise ValueError("no sender")
    conversation = f"rest:{body['sender']}"
    if isinstance(body.get("payload"), str):
        return Incoming(conversation, body["payload"], is_button=True)
    if isinstance(body.get("message"), str):
        return Incoming(conversation, body["message"])
    raise ValueError("no message")


def understanding(tracker: "DialogueStateTracker | None") -> Dict[str, Any]:
    """Return what was understood of the latest message: the five best topics, and its safety."""
    parsed = (tracker.latest_message.parse_data if tracker and tracker.latest_message else {}) or {}
    topics: List[Dict[str, Any]] = [
        {"topic": entry["name"].removeprefix("faq/"), "confidence": entry["confidence"]}
        for entry in parsed.get("intent_ranking") or []
    ]
    safety = parsed.get("safety") or {}
    return {
        "intent": (parsed.get("intent") or {}).get("name"),
        "topics": topics[:5],
        "safety": {
            "level": safety.get("level", "none"),
            "category": safety.get("category"),
            "detectors": safety.get("detectors", []),
        },
    }

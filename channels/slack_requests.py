"""Reading what Slack sends: events, pressed buttons, commands; nothing is trusted here yet."""

import json
import re
from dataclasses import dataclass
from html import unescape
from typing import Any, Dict, Mapping, Optional, Tuple

from guide.staff_commands import read_command

# `<@U1>`, `<#C1|name>`, `<!here>`, `<https://x|label>`, `<mailto:a@b|a@b>`
_REFERENCE = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_LEADING_MENTION = re.compile(r"^\s*<@[^<>]+>[\s:,]*")


class UnreadableError(ValueError):
    """A signed request that is not of the form that Slack documents."""


@dataclass(frozen=True)
class SlackMessage:
    """What a member of a workspace wrote or pressed.

    Attributes:
        keys: all that identifies it.
        teams: every workspace that the request names for it.
        user: the member's id.
        conversation: `slack:<team>:<user>:<channel>`, with `:<thread>` inside a thread.
        address: where the answer goes: channel and perhaps thread_ts, or response_url.
        kind: text, button, command or dropped (what is not read, such as a file).
        value: the text, the button's id, or the command.
    """

    keys: Tuple[str, ...]
    teams: frozenset[str]
    user: str
    conversation: str
    address: Dict[str, Any]
    kind: str
    value: str


def plain(text: str) -> str:
    """Return what a person sees of a text in Slack's markup; members' ids do not stay."""

    def shown(match: "re.Match[str]") -> str:
        target, label = match.groups()
        if target.startswith("@"):
            return "@someone"
        if target.startswith(("#", "!")):
            return label or ""
        return label or re.sub(r"^(mailto|tel):", "", target)

    return unescape(_REFERENCE.sub(shown, text)).strip()


def of_event(body: Mapping[str, Any]) -> Optional[SlackMessage]:
    """Return the message that an `event_callback` holds, or None for events of no concern.

    Of concern are direct messages and mentions, written by a person, not edited.

    Raises:
        UnreadableError: the body is of another form.
    """
    event = body.get("event")
    if not isinstance(event, dict):
        raise UnreadableError("no event")
    kind = event.get("type")
    if kind not in ("message", "app_mention"):
        return None
    if kind == "message" and event.get("channel_type") != "im":
        return None
    if event.get("bot_id") or event.get("subtype") not in (None, "file_share", "thread_broadcast"):
        return None
    user, channel, ts = event.get("user"), event.get("channel"), event.get("ts")
    text = event.get("text") or ""
    named = (user, channel, ts, body.get("team_id"), body.get("event_id"))
    if not all(isinstance(value, str) and value for value in named) or not isinstance(text, str):
        return None
    team = str(body["team_id"])
    thread = event.get("thread_ts")
    if kind == "app_mention":
        text = _LEADING_MENTION.sub("", text)
        thread = thread or ts  # an answer in public stays in a thread
    address = {"channel": channel, **({"thread_ts": thread} if thread else {})}
    return SlackMessage(
        keys=(f"event:{body['event_id']}", f"message:{team}:{channel}:{ts}"),
        teams=_teams(team, event.get("team"), event.get("user_team"), event.get("source_team")),
        user=str(user),
        conversation=_conversation(team, str(user), str(channel), thread),
        address=address,
        kind="dropped" if event.get("files") else "text",
        value=plain(text),
    )


def of_action(form: Mapping[str, str]) -> Optional[SlackMessage]:
    """Return the pressed button that an interaction holds, or None for other interactions.

    Raises:
        UnreadableError: the form is of another kind.
    """
    try:
        payload = json.loads(form["payload"])
        if payload["type"] != "block_actions":
            return None
        action = payload["actions"][0]
        if action["type"] != "button" or "value" not in action:
            return None
        container = payload["container"]
        team, user = payload["team"]["id"], payload["user"]["id"]
        channel = container["channel_id"]
        thread = container.get("thread_ts")
        if container.get("is_ephemeral"):
            address = {"response_url": str(payload["response_url"])}
        else:
            address = {"channel": channel, **({"thread_ts": thread} if thread else {})}
        return SlackMessage(
            keys=(f"trigger:{payload['trigger_id']}",),
            teams=_teams(team, payload["user"].get("team_id")),
            user=str(user),
            conversation=_conversation(team, user, channel, thread),
            address=address,
            kind="button",
            value=str(action["value"]),
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableError("no block action") from error


def of_command(form: Mapping[str, str]) -> SlackMessage:
    """Return the slash command that a form holds.

    Raises:
        UnreadableError: the form is of another kind.
    """
    try:
        team, user, channel = form["team_id"], form["user_id"], form["channel_id"]
        keys = (f"trigger:{form['trigger_id']}",)
        address = {"response_url": form["response_url"]}
    except KeyError as error:
        raise UnreadableError("no command") from error
    name, words = read_command(plain(form.get("text", "")))
    is_question = name == "ask" and words
    return SlackMessage(
        keys=keys,
        teams=_teams(team),
        user=user,
        conversation=_conversation(team, user, channel, None),
        address=address,
        kind="text" if is_question else "command",
        value=words if is_question else f"{name} {words}".strip(),
    )


def _teams(*given: Any) -> "frozenset[str]":
    return frozenset(team for team in given if isinstance(team, str) and team)


def _conversation(team: str, user: str, channel: str, thread: Any) -> str:
    return ":".join(["slack", team, user, channel, *([str(thread)] if thread else [])])

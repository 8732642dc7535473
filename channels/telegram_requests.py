"""Reading Telegram's updates: texts, commands and pressed buttons of private chats."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from guide.staff_commands import COMMANDS, read_command

CONTENT = (
    *("animation", "audio", "contact", "dice", "document", "location", "paid_media", "photo"),
    *("poll", "sticker", "story", "venue", "video", "video_note", "voice"),
)
"""What a person can send beside text; a message with none of these tells of the chat itself."""


@dataclass(frozen=True)
class TelegramMessage:
    """What a person wrote or pressed in a private chat with the bot.

    Attributes:
        keys: all that identifies it.
        user: the person's id.
        conversation: `tg:<user>:<chat>`.
        address: the chat that the answer goes to.
        kind: text, button, command or dropped (what is not read, such as a photo).
        value: the text, the button's id, or the command.
        callback: id of the callback query of a pressed button.
    """

    keys: Tuple[str, ...]
    user: str
    conversation: str
    address: Dict[str, Any]
    kind: str
    value: str
    callback: Optional[str] = None


def of_update(update: Mapping[str, Any], bot: str) -> Optional[TelegramMessage]:
    """Return the message that an update holds, or None for the many other kinds of updates.

    Args:
        update: as Telegram sent it.
        bot: the bot's id; update ids count for each bot.
    """
    number = update.get("update_id")
    if not isinstance(number, int):
        return None
    key = f"{bot}:update:{number}"
    query = update.get("callback_query")
    if isinstance(query, dict):
        return _of_query(query, key)
    message = update.get("message")
    if isinstance(message, dict):
        return _of_message(message, key, bot)
    return None


def _of_message(message: Mapping[str, Any], key: str, bot: str) -> Optional[TelegramMessage]:
    chat, user = _private(message, message.get("from"))
    if chat is None or user is None:
        return None
    text = message.get("text")
    if isinstance(text, str):
        kind, value = _read(text, message.get("entities"))
    elif any(name in message for name in CONTENT):
        kind, value = "dropped", str(message.get("caption") or "")
    else:
        return None
    return TelegramMessage(
        keys=(key, f"{bot}:message:{chat}:{message.get('message_id')}"),
        user=str(user),
        conversation=f"tg:{user}:{chat}",
        address={"chat_id": chat},
        kind=kind,
        value=value,
    )


def _of_query(query: Mapping[str, Any], key: str) -> Optional[TelegramMessage]:
    message, data, id = query.get("message"), query.get("data"), query.get("id")
    if not isinstance(message, dict) or not isinstance(data, str) or not isinstance(id, str):
        return None
    chat, user = _private(message, query.get("from"))
    if chat is None or user is None:
        return None
    return TelegramMessage(
        keys=(key,),
        user=str(user),
        conversation=f"tg:{user}:{chat}",
        address={"chat_id": chat},
        kind="button",
        value=data,
        callback=id,
    )


def _private(message: Mapping[str, Any], sender: Any) -> "tuple[Optional[int], Optional[int]]":
    """Return chat and sender, if this is a private chat with a person."""
    chat = message.get("chat")
    if not isinstance(chat, dict) or chat.get("type") != "private":
        return None, None
    if not isinstance(sender, dict) or sender.get("is_bot"):
        return None, None
    ids = chat.get("id"), sender.get("id")
    if not all(isinstance(id, int) for id in ids):
        return None, None
    return ids


def _read(text: str, entities: Any) -> Tuple[str, str]:
    """Return kind and value of a text: Telegram marks commands, so "/bottle?" stays a question."""
    first = entities[0] if isinstance(entities, list) and entities else None
    if not isinstance(first, dict) or first.get("type") != "bot_command" or first.get("offset"):
        return "text", text
    name, words = read_command(text[1:].replace("\n", " ", 1))
    name = name.partition("@")[0]
    if name == "ask" and words:
        return "text", words
    if name in COMMANDS:
        return "command", f"{name} {words}".strip()
    # /start is what Telegram's own button sends.
    return ("command", "help") if name == "start" else ("text", text)

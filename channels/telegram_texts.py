"""How a reply looks in Telegram: plain text, sources below, buttons with opaque ids."""

from datetime import date
from typing import Any, Dict, List, Optional

from channels.splitting import split
from guide.reply import Reply
from guide.reviews import review_line
from guide.telegram_api import MAX_TEXT
from guide.topics import TopicLibrary

HEADS = {
    "crisis": "🆘 CRISIS: PLEASE READ THIS FIRST",
    "error": "⚠️ Something went wrong",
}


def utf16_length(text: str) -> int:
    """Return the length of `text` as Telegram counts it: in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def messages(reply: Reply, chosen: Optional[str], library: TopicLibrary) -> List[Dict[str, Any]]:
    """Return the messages that show a reply, as parameters of sendMessage without the chat.

    Without a parse mode, so nothing in a text can become markup.

    Args:
        reply: the payload of each button is its opaque id.
        chosen: the title of the button that was pressed, if one was.
        library: for the review status of the topic.
    """
    parts = []
    if chosen:
        parts.append(f"▸ {chosen}")
    if reply.kind in HEADS:
        parts.append(HEADS[reply.kind])
    elif reply.title and reply.kind in ("answer", "detail"):
        parts.append(reply.title.upper())
    parts.append(reply.text)
    if reply.sources and reply.kind != "sources":
        lines = [
            f"{number}. {source.title}. {source.publisher}, {source.date}. {source.url}".rstrip()
            for number, source in enumerate(reply.sources, 1)
        ]
        parts.append("Sources:\n" + "\n".join(lines))
    if reply.topic and reply.topic in library and reply.review:
        line = review_line(library[reply.topic], date.today())
        parts.append(f"{line} Topic: {reply.topic}")
    texts = split("\n\n".join(parts), MAX_TEXT, utf16_length)
    payloads: List[Dict[str, Any]] = [
        {"text": text, "link_preview_options": {"is_disabled": True}} for text in texts
    ]
    if reply.buttons:
        rows = [[{"text": b.title, "callback_data": b.payload}] for b in reply.buttons]
        payloads[-1]["reply_markup"] = {"inline_keyboard": rows}
    return payloads

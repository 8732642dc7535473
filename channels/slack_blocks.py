"""How a reply looks in Slack: Block Kit, within its limits, with a plain text beside it."""

from datetime import date
from typing import Any, Dict, List, Optional

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from channels.splitting import split
from guide.reply import Button, Reply, Source
from guide.reviews import review_line
from guide.topics import TopicLibrary

MAX_SECTION = 3000
MAX_TITLE = 75
MAX_ROW = 5
MAX_BLOCKS = 50
MAX_MESSAGE = 10_000
"""Characters of all blocks of a message; Slack refuses more than some 13,000."""

HEADS = {"crisis": "🆘 Crisis: please read this first", "error": "⚠️ Something went wrong"}


def escaped(text: str) -> str:
    """Return `text` so that Slack shows it as it is: no mention, no link, no markup of its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def messages(reply: Reply, chosen: Optional[str], library: TopicLibrary) -> List[Dict[str, Any]]:
    """Return the messages that show a reply, each `{"text", "blocks"}`.

    Args:
        reply: the payload of each button is its opaque id.
        chosen: the title of the button that was pressed, if one was.
        library: for the review status of the topic.
    """
    blocks: List[Block] = []
    if chosen:
        blocks.append(_context(f"You chose: {escaped(chosen)}"))
    if reply.kind in HEADS:
        blocks.append(HeaderBlock(text=PlainTextObject(text=HEADS[reply.kind], emoji=True)))
    elif reply.title and reply.kind in ("answer", "detail"):
        blocks.append(_section(f"*{_unstyled(escaped(reply.title))}*"))
    for part in split(reply.text, MAX_SECTION, lambda text: len(escaped(text))):
        blocks.append(_section(escaped(part)))
    if reply.sources and reply.kind != "sources":
        lines = [_source(number, source) for number, source in enumerate(reply.sources, 1)]
        for part in split("\n".join(lines), MAX_SECTION):
            blocks.append(_context(part))
    if reply.topic and reply.topic in library and reply.review:
        line = f"{review_line(library[reply.topic], date.today())} Topic: {reply.topic}"
        blocks.append(_context(escaped(line)))
    for start in range(0, len(reply.buttons), MAX_ROW):
        blocks.append(_row(reply.buttons[start : start + MAX_ROW], start))
    if reply.kind == "crisis":
        blocks = [DividerBlock(), *blocks, DividerBlock()]
    return [
        {"text": "\n".join(filter(None, map(_text_of, part))) or "…", "blocks": part}
        for part in _parts([block.to_dict() for block in blocks])
    ]


def _parts(blocks: List[Dict[str, Any]]) -> List[List[Dict[str, Any]]]:
    """Return the blocks in parts that each fit into one message."""
    parts: List[List[Dict[str, Any]]] = [[]]
    size = 0
    for block in blocks:
        size += len(_text_of(block))
        if parts[-1] and (size > MAX_MESSAGE or len(parts[-1]) == MAX_BLOCKS):
            parts.append([])
            size = len(_text_of(block))
        parts[-1].append(block)
    return parts


def _text_of(block: Dict[str, Any]) -> str:
    """Return what a block says, as notifications and screen readers get it."""
    if block["type"] == "context":
        return "\n".join(element["text"] for element in block["elements"])
    return str(block.get("text", {}).get("text", ""))


def _section(text: str) -> SectionBlock:
    # Expanded: nobody has to press "see more" to read a number to call.
    return SectionBlock(text=MarkdownTextObject(text=text, verbatim=True), expand=True)


def _context(text: str) -> ContextBlock:
    # One element: several would stand beside one another.
    return ContextBlock(elements=[MarkdownTextObject(text=text, verbatim=True)])


def _row(buttons: "tuple[Button, ...]", start: int) -> ActionsBlock:
    return ActionsBlock(
        elements=[
            ButtonElement(
                text=PlainTextObject(text=_cut(button.title, MAX_TITLE), emoji=False),
                action_id=f"choose_{number}",
                value=button.payload,
            )
            for number, button in enumerate(buttons, start)
        ]
    )


def _source(number: int, source: Source) -> str:
    label = _unstyled(escaped(source.title))
    link = f"<{escaped(source.url)}|{label}>" if source.url else label
    return f"{number}. {link}. {escaped(source.publisher)}, {escaped(source.date)}"


def _unstyled(text: str) -> str:
    """Return a text that may stand between markup characters: those of its own become spaces."""
    return "".join(" " if letter in "*_~`|" else letter for letter in text)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"

"""The static notice: what stands in for every answer while the assistant is off or out of reach."""

import json
from pathlib import Path

from guide.clinic import Clinic, fill
from guide.content import ContentError, load_yaml, require
from guide.paths import CONTENT, ROOT
from guide.reply import Reply

NOTICE = CONTENT / "notice.yml"
PROXY_FILE = ROOT / "deploy" / "nginx" / "notice" / "notice.json"
"""What the proxy shows when no assistant can be reached; made by `kap-guide notice`."""

HELP = ("{crisis_call}", "{emergency}")


def notice_text(clinic: Clinic, path: Path = NOTICE) -> str:
    """Return the words of the notice, with the clinic's own crisis lines.

    Raises:
        ContentError: the file is damaged or does not say whom to call.
    """
    text = " ".join(str(require(load_yaml(path), "text", str, path, "")).split())
    for name in HELP:
        if name not in text:
            raise ContentError(path, "text", f"lacks {name}", "say whom to call in a crisis")
    return fill(text, clinic.placeholders())


def off_reply(clinic: Clinic) -> Reply:
    """Return the notice as every channel says it while the assistant is switched off."""
    return Reply(kind="notice", text=notice_text(clinic))


def proxy_answer(clinic: Clinic) -> str:
    """Return the notice as the website channel's answer to a request that failed (JSON)."""
    reply = Reply(kind="error", text=notice_text(clinic)).as_dict()
    return json.dumps({"error": "unavailable", "replies": [reply]}, ensure_ascii=False) + "\n"

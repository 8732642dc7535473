"""What staff are told in Slack and Telegram beside answers: content/staff.yml."""

from pathlib import Path

from guide.clinic import Clinic, fill
from guide.content import ContentError, load_yaml
from guide.reply import Reply

KEYS = frozenset(
    {
        "patient_data",
        "text_only",
        "too_many",
        "stale_button",
        "missed",
        "unsure",
        "no_question",
        "unknown_command",
        "help",
        "topics_none",
        "not_listed",
        "gaps_failed",
    }
)


class StaffTexts:
    """The texts, with the crisis lines of the clinic's country filled in."""

    def __init__(self, texts: dict[str, str], clinic: Clinic) -> None:
        self._texts = texts
        self._values = clinic.placeholders()

    @classmethod
    def load(cls, content: Path, clinic: Clinic) -> "StaffTexts":
        """Read the texts from the folder `content`.

        Raises:
            ContentError: the file is damaged, or a text is missing or unknown.
        """
        path = content / "staff.yml"
        texts = load_yaml(path)
        if not isinstance(texts, dict) or set(texts) != KEYS:
            raise ContentError(path, "file", "has other keys", f"keep exactly {', '.join(KEYS)}")
        for key, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                raise ContentError(path, key, "has no text", "write one")
        return cls(texts, clinic)

    def text(self, key: str, **values: str) -> str:
        """Return a text with `values` filled in."""
        return fill(self._texts[key].strip(), {**self._values, **values})

    def reply(self, key: str, **values: str) -> Reply:
        """Return a text as a reply."""
        return Reply(kind="control", text=self.text(key, **values))

"""Response generator: chooses a variation, fills its placeholders, flattens its metadata.

It runs inside the Rasa process, so crisis replies survive a dead action server.
"""

import copy
import logging
from typing import Any, Dict, Optional

from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

from guide.clinic import Clinic, fill
from guide.paths import CONTENT

logger = logging.getLogger(__name__)


class ResponseGenerator(TemplatedNaturalLanguageGenerator):
    """Generates responses of the domain (`nlg.type` in endpoints.yml).

    Rasa's own generator picks a variation at random. Here variations come in order: the first the
    first time, the next when the same response is due again, so nothing is repeated in a row.
    (Rasa hands a newly loaded model's responses only to subclasses of its own generator.)
    """

    def __init__(self, endpoint_config: Optional[EndpointConfig], domain: Domain) -> None:
        """Load the clinic's settings; a damaged file stops the start with a ContentError."""
        super().__init__(domain.responses)
        self.clinic = Clinic.load(CONTENT)

    async def generate(
        self,
        utter_action: str,
        tracker: DialogueStateTracker,
        output_channel: str,
        **kwargs: Any,
    ) -> Optional[Dict[str, Any]]:
        """Return the message for `utter_action`, or the static safety message if there is none."""
        variations = self.responses.get(utter_action)
        if not variations:
            logger.error("there is no response %s; saying utter_error instead", utter_action)
            utter_action, variations = "utter_error", self.responses["utter_error"]
        number = _next_variation(tracker, utter_action) % len(variations)
        message: Dict[str, Any] = copy.deepcopy(variations[number])
        message.update(message.pop("metadata", None) or {}, variation=number)
        values = self.clinic.placeholders(tracker.get_slot("country"))
        message["text"] = fill(message["text"], values)
        for button in message.get("buttons", []):
            button["title"] = fill(button["title"], values)
        return message


def _next_variation(tracker: DialogueStateTracker, utter_action: str) -> int:
    """Return the number after that of the variation said last; 0 if none was of late."""
    for event in reversed(tracker.events):
        if isinstance(event, BotUttered) and event.metadata.get("utter_action") == utter_action:
            return int(event.metadata.get("variation", -1)) + 1
    return 0

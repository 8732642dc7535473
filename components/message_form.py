"""Rasa graph component: messages whose form decides, before any topic does."""

from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from guide.message_form import form_of

NOT_UNDERSTOOD = ("nlu_fallback", "clarify", "out_of_scope")
"""Intents beside which another language is believed; "iv vs im" is English after all."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class MessageForm(GraphComponent):
    """Sets the intent `empty`, `too_long` or `other_language` where the text's form decides."""

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "MessageForm":
        """Create the component; it has no state."""
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Set the intent on the messages whose form decides."""
        for message in messages:
            form = form_of(message.get(TEXT) or "")
            understood = (message.get(INTENT) or {}).get("name") not in NOT_UNDERSTOOD
            if form == "other_language" and understood:
                continue
            if form is not None:
                message.set(INTENT, {"name": form, "confidence": 1.0}, add_to_output=True)
        return messages

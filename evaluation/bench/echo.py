"""The floor's understanding: a graph component that does next to nothing."""

from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

ACTION = "action"
"""First word of the texts that a custom action answers."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class Echo(GraphComponent):
    """Sets the intent `action` or `plain`, by the first word."""

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "Echo":
        """Create the component; it has no state."""
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        """Set the intent."""
        for message in messages:
            name = "action" if (message.get(TEXT) or "").startswith(ACTION) else "plain"
            message.set(INTENT, {"name": name, "confidence": 1.0}, add_to_output=True)
        return messages

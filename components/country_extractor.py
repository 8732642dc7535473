"""Country extractor: understands "I'm in the UK", so that crisis lines fit the person."""

import re
from typing import Any, Dict, List

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from guide.clinic import INTERNATIONAL, Clinic
from guide.paths import CONTENT

_ABOUT_ONESELF = re.compile(
    r"\b(i\W?a?m|i live|we live|we\W?a?re|living|calling|writing|texting|based|located|here)\b"
    r"[^.?!]{0,40}?\b(in|from|near|at)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[,.;!?]|\bbut\b|\band\b", re.IGNORECASE)
_NOT_THERE = re.compile(
    r"\b(not|don\W?t|isn\W?t|never|left)\b"
    # somebody else's country is not the person's own
    r"|\b(he|she|they|my (?!name)\w+( \w+)?) (lives?|lived|moved|went|is|was|are)\b",
    re.IGNORECASE,
)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class CountryExtractor(GraphComponent):
    """Adds an entity `country` (a key of crisis_lines.yml) when people say where they are.

    An intent `inform_country` with a country that has no crisis lines of its own becomes
    `inform_country_unknown`, with the international entry.
    """

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "CountryExtractor":
        """Create the component over the clinic's crisis lines."""
        return cls(Clinic.load(CONTENT))

    def process(self, messages: List[Message]) -> List[Message]:
        """Add the entity to each message that names a country about the person."""
        for message in messages:
            text = message.get(TEXT) or ""
            named = (message.get(INTENT) or {}).get("name") == "inform_country"
            if not (named or _ABOUT_ONESELF.search(text)):
                continue
            there = " ".join(
                clause for clause in _CLAUSE.split(text) if not _NOT_THERE.search(clause)
            )
            country = self.clinic.country_in(there)
            if named and country is None and self.clinic.country_in(text) is None:
                country = INTERNATIONAL
                unknown = {**message.get(INTENT), "name": "inform_country_unknown"}
                message.set(INTENT, unknown, add_to_output=True)
            if country is not None:
                entity = {"entity": "country", "value": country, "start": 0, "end": len(text)}
                message.set(ENTITIES, [*message.get(ENTITIES, []), entity], add_to_output=True)
        return messages

"""What the action server returns is checked as Rasa checks it, but the schema only once.

Rasa hands its constant schema to jsonschema with every result, and jsonschema then checks the
schema itself first: most of the work, the same each time. Rasa has no setting for this; the one
method that does it is replaced, by the same check of the result.
"""

from typing import Any, Dict

from jsonschema.exceptions import best_match  # type: ignore[import-untyped]
from jsonschema.validators import validator_for  # type: ignore[import-untyped]
from rasa.core.actions.action import RemoteAction

_SCHEMA = RemoteAction.action_response_format_spec()
_VALIDATOR = validator_for(_SCHEMA)
_VALIDATOR.check_schema(_SCHEMA)


def check_result(action: RemoteAction, result: Dict[str, Any]) -> bool:
    """Return True for a result of an action call that has the agreed form.

    Raises:
        jsonschema.ValidationError: it has not.
    """
    error = best_match(_VALIDATOR(_SCHEMA).iter_errors(result))
    if error is not None:
        raise error
    return True


RemoteAction._validate_action_result = check_result

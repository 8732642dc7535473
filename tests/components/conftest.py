"""What component tests share: the encoder's place and a room in which Rasa keeps what it trains."""

from pathlib import Path

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage

from guide import encoder_export
from tests.needs import need


@pytest.fixture(scope="session")
def encoder_directory() -> Path:
    """The built encoder of this checkout."""
    directory = encoder_export.DEFAULT_DIRECTORY.resolve()
    built = directory if encoder_export.is_current(directory) else None
    return need(built, f"no encoder in {directory}; run `make setup`")


@pytest.fixture(scope="module")
def model_storage(tmp_path_factory: pytest.TempPathFactory) -> LocalModelStorage:
    """An empty model storage."""
    return LocalModelStorage.create(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def execution_context() -> ExecutionContext:
    """A context such as Rasa gives to every component."""
    return ExecutionContext(GraphSchema({}), node_name="tested")

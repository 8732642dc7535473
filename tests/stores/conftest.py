"""A conversation store over real databases."""

import pytest
from cryptography.fernet import Fernet, MultiFernet

from guide.conversations import ConversationStore


@pytest.fixture
def key() -> str:
    """A key."""
    return Fernet.generate_key().decode()


@pytest.fixture
def store(database: str, key: str) -> ConversationStore:
    """A conversation store over an empty database."""
    return ConversationStore(database, MultiFernet([Fernet(key)]))

"""The lock store (`lock_store.type` in endpoints.yml); the environment says which locks it has.

It imports the tracker store for its own failure: where that cannot be imported, Rasa would quietly
keep conversations in memory, but without a lock store it does not start.
"""

from contextlib import asynccontextmanager
from typing import Any, AsyncGenerator, Optional

from rasa.core.lock_store import LockStore
from rasa.utils.endpoints import EndpointConfig

from guide.locks import locks
from guide.logs import protect_logs
from stores import tracker_store as tracker_store


class GuideLockStore(LockStore):
    """Rasa's own is not safe across processes, and waits by the second."""

    def __init__(self, endpoint_config: Optional[EndpointConfig] = None) -> None:
        """Choose the locks. Raises guide.environment.SettingError when a setting is wrong."""
        self._locks = locks()
        # Rasa has set its logs up by now, and answers nobody before it has a lock store.
        protect_logs()

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = 0, wait_time_in_seconds: float = 0
    ) -> AsyncGenerator[Any, None]:
        """Hold a conversation; lifetime and waiting are guide.locks' own.

        Raises:
            guide.locks.LockError: it could not be had in time.
        """
        async with self._locks.hold(conversation_id):
            yield None

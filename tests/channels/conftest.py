"""What the tests of the website channel share."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.channels.web_server import WebServer, serving


@pytest_asyncio.fixture
async def web() -> AsyncIterator[WebServer]:
    """A running channel with its usual settings."""
    async with serving() as server:
        yield server

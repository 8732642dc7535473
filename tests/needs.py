"""Programs that some tests need."""

import os
from typing import TypeVar

import pytest

T = TypeVar("T")


def need(found: T | None, missing: str) -> T:
    """Return what was found; else skip with a reason, or fail where everything must run (CI)."""
    if found is not None:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)

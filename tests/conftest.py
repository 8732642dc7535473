"""What tests share: the content of this checkout, and the running assistant."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from guide.answer import Composer
from guide.paths import CONTENT, FAQ, MODEL
from guide.servers import Assistant, Running, running
from tests.services import Postgres, Redis, a_postgres, a_redis


@pytest.fixture(scope="session", autouse=True)
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of the tests' own for what is kept; nothing of a developer's is touched."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(folder))
        patch.delenv("DATABASE_URL", raising=False)
        yield folder


@pytest.fixture(scope="session")
def composer() -> Composer:
    """The composer over this checkout's content."""
    return Composer.load(FAQ, CONTENT)


@pytest.fixture(scope="session")
def trained_model() -> Path:
    """The trained model; without one, CI fails and other machines skip."""
    if not MODEL.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail("no trained model; make test trains it")
        pytest.skip("no trained model; run `make train`")
    return MODEL


@pytest.fixture(scope="session")
def up(trained_model: Path) -> Iterator[Running]:
    """Both servers, started once on free ports."""
    with running() as both:
        yield both


@pytest.fixture(scope="session")
def assistant(up: Running) -> Assistant:
    """The running assistant."""
    return up.assistant


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that tests share; `database` clears it."""
    with a_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A Redis that tests share; `redis` clears it."""
    with a_redis() as server:
        yield server


@pytest.fixture
def redis(redis_server: Redis) -> Redis:
    """An empty Redis."""
    redis_server.clear()
    return redis_server


@pytest.fixture
def redis_url(redis: Redis) -> str:
    """The address of an empty Redis."""
    return redis.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kept.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    server.clear()
    return server.url

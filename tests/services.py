"""Real services for tests, on free loopback ports: PostgreSQL and Redis, which can be stopped."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis as Client
from sqlalchemy import create_engine

from guide.servers import free_port
from tests.needs import need

HOST = "127.0.0.1"


class Redis:
    """A Redis that keeps nothing when it ends."""

    def __init__(self) -> None:
        self._program = need(shutil.which("redis-server"), "redis-server is not installed")
        self._port = free_port()
        self.url = f"redis://{HOST}:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["--port", str(self._port), "--bind", HOST, "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        _await(lambda: _answers(self._port))

    def clear(self) -> None:
        """Drop everything that is in it."""
        with Client.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


class Postgres:
    """A PostgreSQL with a folder of its own; as it does not run for root, root lends it a user."""

    def __init__(self) -> None:
        self._bin = need(_postgres_programs(), "PostgreSQL's server is not installed")
        self._port = free_port()
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._folder = Path(tempfile.mkdtemp(prefix="kap-postgres-"))
        if self._as:
            shutil.chown(self._folder, "postgres")
        self.url = f"postgresql://kap@{HOST}:{self._port}/postgres"
        self._run("initdb", "--auth=trust", "--username=kap", "--encoding=UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self._port} -h {HOST} -k {self._folder} -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "--wait", f"--log={log}", f"--options={options}", "start")

    def stop(self) -> None:
        """End it as a crash would: open transactions are lost, connections break."""
        self._run("pg_ctl", "--wait", "--mode=immediate", "stop")

    def clear(self) -> None:
        """Drop everything that is in it."""
        with create_engine(self.url).connect() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")

    def remove(self) -> None:
        """End it for good."""
        self.stop()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(
            [*self._as, str(self._bin / program), f"--pgdata={self._folder}", *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )


def _postgres_programs() -> Path | None:
    """Return the folder of the newest server; Debian puts it outside the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _version(path: Path) -> int:
    return int(path.parent.parent.name)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _await(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < deadline, "the service does not answer"
        time.sleep(0.05)


@contextmanager
def a_redis() -> Iterator[Redis]:
    """A running Redis until the end."""
    server = Redis()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def a_postgres() -> Iterator[Postgres]:
    """A running PostgreSQL until the end."""
    server = Postgres()
    try:
        yield server
    finally:
        server.remove()

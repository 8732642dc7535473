"""deploy/backup over a real PostgreSQL: what was saved comes back, old backups go."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from guide.paths import ROOT
from tests.needs import need
from tests.services import a_postgres

DAY = 86400


@pytest.fixture(scope="module")
def postgres() -> Iterator[dict[str, str]]:
    """A PostgreSQL of its own; gives the environment of its clients."""
    need(shutil.which("pg_dump"), "PostgreSQL's clients are not installed")
    with a_postgres() as server:
        address = make_url(server.url)
        yield {
            **os.environ,
            "PGHOST": str(address.host),
            "PGPORT": str(address.port),
            "PGUSER": str(address.username),
            "PGDATABASE": str(address.database),
        }


def sql(env: dict[str, str], command: str, database: str = "postgres") -> str:
    done = subprocess.run(
        ["psql", "-qtA", "-d", database, "-c", command],
        check=True,
        capture_output=True,
        text=True,
        env=env,
    )
    return done.stdout.strip()


def back_up(env: dict[str, str], folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [ROOT / "deploy" / "backup", folder, "14"], capture_output=True, text=True, env=env
    )


def test_what_was_saved_comes_back(postgres: dict[str, str], tmp_path: Path) -> None:
    numbers = "select n, md5(n::text) as data from generate_series(1, 1000) n"
    sql(postgres, f"create table events as {numbers}")
    done = back_up(postgres, tmp_path / "backups")
    assert done.returncode == 0, done.stderr
    (saved,) = (tmp_path / "backups").iterdir()
    assert saved.stat().st_mode & 0o077 == 0
    sql(postgres, "create database restored")
    subprocess.run(["pg_restore", "-d", "restored", saved], check=True, env=postgres)
    count = "select count(*), md5(string_agg(data, '' order by n)) from events"
    assert sql(postgres, count, "restored") == sql(postgres, count)


def test_old_backups_go_and_others_stay(postgres: dict[str, str], tmp_path: Path) -> None:
    old, young, other = (
        tmp_path / name for name in ("kap-guide-a.dump", "kap-guide-b.dump", "notes.txt")
    )
    for path, age in ((old, 16), (young, 13), (other, 99)):
        path.write_text("")
        os.utime(path, (time.time() - age * DAY,) * 2)
    assert back_up(postgres, tmp_path).returncode == 0
    assert not old.exists()
    assert young.exists()
    assert other.exists()


def test_a_backup_that_failed_is_told_and_deletes_nothing(tmp_path: Path) -> None:
    old = tmp_path / "kap-guide-a.dump"
    old.write_text("")
    os.utime(old, (0, 0))
    env = {**os.environ, "PGHOST": str(tmp_path / "nobody"), "PGDATABASE": "none"}
    assert back_up(env, tmp_path).returncode != 0
    assert old.exists()

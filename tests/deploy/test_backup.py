"""deploy/backup over a real PostgreSQL: what was saved comes back, old backups go."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from guide.paths import ROOT
from tests.needs import need

DAY = 86400


@pytest.fixture(scope="module")
def postgres() -> Iterator[dict[str, str]]:
    """A PostgreSQL of its own, reached by a socket; gives the environment of its clients."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path("/usr/bin")]
    found = shutil.which("initdb", path=f"{os.environ['PATH']}:{places[-1]}")
    programs = Path(need(found, "PostgreSQL is not installed")).resolve().parent
    # Short, because the path of a socket may have 107 bytes; not ours alone, because PostgreSQL
    # refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="kap"))
    as_user: dict[str, object] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = {"user": "postgres", "group": "postgres", "cwd": folder, "extra_groups": []}
    subprocess.run(
        [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync"],
        check=True,
        capture_output=True,
        **as_user,  # type: ignore[call-overload]
    )
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    control = [programs / "pg_ctl", "-D", folder / "data", "-w", "-s"]
    subprocess.run(
        [*control, "-o", options, "-l", folder / "log", "start"],
        check=True,
        **as_user,  # type: ignore[call-overload]
    )
    yield {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PGHOST": str(folder),
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
    }
    subprocess.run(
        [*control, "-m", "immediate", "stop"],
        check=True,
        **as_user,  # type: ignore[call-overload]
    )
    shutil.rmtree(folder, ignore_errors=True)


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

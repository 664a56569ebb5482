"""The migration against a real Postgres."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from real_services import Store, free_port
from server.connections import connect_postgres
from server.migrate import LOCK, STATEMENTS, migrate

SERVER = Path(__file__).parents[1]


def test_twice_is_the_same_as_once(stores: dict[str, Store]) -> None:
    """The Job of the second release must find its work done, and keep the rows."""
    migrate()
    with connect_postgres() as connection:
        connection.execute("INSERT INTO visits DEFAULT VALUES")
    migrate()
    with connect_postgres() as connection:
        assert connection.execute("SELECT count(*) FROM visits").fetchone() == (1,)


def test_several_at_once_all_succeed(stores: dict[str, Store]) -> None:
    """Without the lock two of them may both find no table, and one fails."""
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(migrate) for _ in range(8)]:
            done.result()


def test_waits_for_another_migration_up_to_a_limit(stores: dict[str, Store]) -> None:
    with ThreadPoolExecutor(1) as pool, connect_postgres() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        waiting = pool.submit(migrate, lock_seconds=1)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            waiting.result(timeout=60)
        assert other.execute("SELECT to_regclass('visits')").fetchone() == (None,)
    migrate(lock_seconds=1)


def test_only_expands() -> None:
    """The previous release runs on the new schema during the rollout and after a rollback."""
    words = {word for statement in STATEMENTS for word in statement.upper().split()}
    assert not words & {"DROP", "RENAME", "TRUNCATE", "DELETE"}


def test_command(stores: dict[str, Store]) -> None:
    """What the migration's Job runs in the image."""
    done = run_command(os.environ.copy())
    assert (done.returncode, done.stdout) == (0, "the schema is up to date\n")
    with connect_postgres() as connection:
        assert connection.execute("SELECT count(*) FROM visits").fetchone() == (0,)


def test_command_fails_without_postgres(environment: pytest.MonkeyPatch) -> None:
    """The Job must fail with the reason, and without the password."""
    port = str(free_port())
    variables = {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "shop", "PGPASSWORD": "hunter2"}
    done = run_command(os.environ | variables)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("migration failed, the schema is unchanged: ")
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def run_command(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command where the image runs it, in the directory of the package."""
    return subprocess.run(
        [sys.executable, "-m", "server.migrate"],
        check=False,
        cwd=SERVER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
    )

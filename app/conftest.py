"""The import path of the package `server`, and the stores that the tests share."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

APP = Path(__file__).parent
# Appended, so that they hide no other module of the same name.
sys.path += [str(APP / "server"), str(APP / "testing")]

from real_services import Store, run_postgres, run_redis  # noqa: E402
from server.connections import connect_postgres  # noqa: E402


@pytest.fixture(scope="session")
def redis_store() -> Iterator[Store]:
    """Run one Redis for all tests."""
    with run_redis() as store:
        yield store


@pytest.fixture(scope="session")
def postgres_store() -> Iterator[Store]:
    """Run one Postgres for all tests."""
    with run_postgres() as store:
        yield store


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Unset the variables of this machine that libpq and the server would read."""
    for name in os.environ:
        if name.startswith("PG") or name in {"REDIS_URL", "GIT_SHA"}:
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def stores(
    environment: pytest.MonkeyPatch, postgres_store: Store, redis_store: Store
) -> dict[str, Store]:
    """Set the environment for both stores, which are running, empty and without a schema."""
    for name, value in (postgres_store.environment | redis_store.environment).items():
        environment.setenv(name, value)
    with connect_postgres() as connection:
        connection.execute("DROP TABLE IF EXISTS visits")
    redis.Redis.from_url(os.environ["REDIS_URL"]).flushall()
    return {"postgres": postgres_store, "redis": redis_store}

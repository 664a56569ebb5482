"""The server with a real Redis and a real Postgres, either of which may be down."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from flask.testing import FlaskClient
from real_services import Store, free_port
from server import create_app
from server.connections import connect_postgres
from server.migrate import migrate
from server.visits import COUNT_KEY, COUNT_SECONDS


@pytest.fixture
def client(stores: dict[str, Store]) -> FlaskClient:
    """Return a client of the server, with a migrated schema."""
    migrate()
    return create_app().test_client()


@contextmanager
def silent_port() -> Iterator[int]:
    """Listen on a port, accept every connection and never respond."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_alive_though_nothing_else_is(environment: pytest.MonkeyPatch) -> None:
    """A liveness probe that fails with the database would restart every pod for nothing."""
    environment.setenv("PGHOST", "127.0.0.1")
    environment.setenv("PGPORT", str(free_port()))
    environment.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    assert create_app().test_client().get("/healthz").status_code == 200


def test_ready_when_both_answer(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"ready": True, "down": []})


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_not_ready_while_one_is_stopped(
    name: str, client: FlaskClient, stores: dict[str, Store]
) -> None:
    """The response names it, and the server is ready again once it is back."""
    assert client.get("/readyz").status_code == 200
    with stores[name].process.stopped():
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json) == (503, {"ready": False, "down": [name]})
    assert client.get("/readyz").status_code == 200


def test_not_ready_when_neither_answers(environment: pytest.MonkeyPatch) -> None:
    """A host that accepts the connection and then hangs must not make the probe hang too."""
    with silent_port() as postgres, silent_port() as cache:
        environment.setenv("PGHOST", "127.0.0.1")
        environment.setenv("PGPORT", str(postgres))
        environment.setenv("REDIS_URL", f"redis://127.0.0.1:{cache}/0")
        answer = create_app().test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (
        503,
        {"ready": False, "down": ["postgres", "redis"]},
    )


@pytest.mark.parametrize("path", ["/readyz", "/api/visits"])
def test_wrong_passwords_are_not_repeated(
    path: str,
    client: FlaskClient,
    environment: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the answer nor the log has a credential; the answer has no host or user either."""
    right = os.environ["REDIS_URL"]
    environment.setenv("PGPASSWORD", "wrong-one")
    environment.setenv("REDIS_URL", f"redis://:wrong-two@{right.partition('@')[2]}")
    answer = create_app().test_client().get(path)
    assert answer.status_code == 503
    assert [record.levelno >= logging.WARNING for record in caplog.records] == [True, True]
    for secret in ("wrong-one", "wrong-two"):
        assert secret not in answer.text + caplog.text
    for place in ("127.0.0.1", "shop"):
        assert place not in answer.text


def test_malformed_redis_address_is_not_repeated(environment: pytest.MonkeyPatch) -> None:
    """A password with an unencoded slash makes its first part look like a port."""
    environment.setenv("REDIS_URL", "redis://:hunter/2@redis:6379/0")
    with pytest.raises(RuntimeError, match="REDIS_URL is malformed") as caught:
        create_app()
    assert "hunter" not in str(caught.getrepr(chain=True, style="native"))


def test_missing_redis_address_is_named(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="REDIS_URL is not set"):
        create_app()


def test_version_is_the_commit_of_the_image(environment: pytest.MonkeyPatch) -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    environment.setenv("REDIS_URL", "redis://localhost:6379/0")
    environment.setenv("GIT_SHA", sha)
    assert create_app().test_client().get("/version").json == {"sha": sha}


def test_visits_are_rows_and_their_count_is_cached(client: FlaskClient) -> None:
    assert client.get("/api/visits").json == {"visits": 0, "cached": False}
    answer = client.post("/api/visits")
    assert (answer.status_code, answer.json) == (201, {"visits": 1, "cached": False})
    assert client.get("/api/visits").json == {"visits": 1, "cached": True}
    with connect_postgres() as connection:
        assert connection.execute("SELECT count(*) FROM visits").fetchone() == (1,)


def test_write_forgets_the_cached_count(client: FlaskClient) -> None:
    """A count that was cached before a visit must not be served after it."""
    client.get("/api/visits")
    assert client.get("/api/visits").json == {"visits": 0, "cached": True}
    client.post("/api/visits")
    visits = client.get("/api/visits").get_json()["visits"]
    assert visits == 1


def test_cached_count_expires(client: FlaskClient) -> None:
    """The limit on how long a count that missed its deletion can be served."""
    client.get("/api/visits")
    seconds = redis.Redis.from_url(os.environ["REDIS_URL"]).ttl(COUNT_KEY)
    assert 0 < seconds <= COUNT_SECONDS


def test_visits_without_redis(client: FlaskClient, stores: dict[str, Store]) -> None:
    """The cache saves work; the answer does not depend on it."""
    with stores["redis"].process.stopped():
        assert client.post("/api/visits").json == {"visits": 1, "cached": False}
        assert client.get("/api/visits").json == {"visits": 1, "cached": False}


def test_visits_without_postgres(client: FlaskClient, stores: dict[str, Store]) -> None:
    with stores["postgres"].process.stopped():
        answer = client.post("/api/visits")
    assert (answer.status_code, answer.json) == (503, {"error": "postgres is down"})


def test_answers_are_not_stored(client: FlaskClient) -> None:
    """A browser or proxy that kept a count would show it after the next visit."""
    assert client.get("/api/visits").headers["Cache-Control"] == "no-store"

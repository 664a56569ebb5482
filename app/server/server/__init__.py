"""The shop's server: counts visits in Postgres and reads the count through Redis."""

import logging
import os
from collections.abc import Callable

import psycopg
import redis
from flask import Flask, Response
from flask.typing import ResponseReturnValue

from .connections import connect_postgres, connect_redis
from .visits import add_visit, count_visits

__all__ = ["create_app"]

logger = logging.getLogger(__name__)


def create_app() -> Flask:
    """Return the application, configured from the environment.

    PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD are read by libpq, REDIS_URL and GIT_SHA
    here. Neither Postgres nor Redis has to be up yet.

    Raises:
        RuntimeError: REDIS_URL is missing or malformed.
    """
    app = Flask(__name__)
    cache = connect_redis()
    sha = os.environ.get("GIT_SHA", "unknown")

    def ask_postgres() -> None:
        with connect_postgres() as connection:
            connection.execute("SELECT 1")

    def ask_redis() -> None:
        cache.ping()

    @app.get("/healthz")
    def alive() -> ResponseReturnValue:
        # Checks no dependency: restarting this process would not repair a database.
        return {"alive": True}

    @app.get("/readyz")
    def ready() -> ResponseReturnValue:
        checks = {"postgres": ask_postgres, "redis": ask_redis}
        down = [name for name, ask in checks.items() if not _answers(name, ask)]
        return {"ready": not down, "down": down}, 503 if down else 200

    @app.get("/version")
    def version() -> ResponseReturnValue:
        return {"sha": sha}

    @app.get("/api/visits")
    def read_visits() -> ResponseReturnValue:
        visits, cached = count_visits(cache)
        return {"visits": visits, "cached": cached}

    @app.post("/api/visits")
    def write_visit() -> ResponseReturnValue:
        add_visit(cache)
        visits, cached = count_visits(cache)
        return {"visits": visits, "cached": cached}, 201

    @app.errorhandler(psycopg.OperationalError)
    def postgres_failed(error: psycopg.OperationalError) -> ResponseReturnValue:
        # Only the log has the reason: a public response must not reveal the host or the user.
        logger.error("postgres failed: %s", error)
        return {"error": "postgres is down"}, 503

    @app.after_request
    def forbid_storing(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response

    return app


def _answers(name: str, ask: Callable[[], None]) -> bool:
    """Return whether a dependency answers; log the error if it does not."""
    try:
        ask()
    except (psycopg.Error, redis.RedisError) as error:
        logger.warning("%s does not answer: %s", name, error)
        return False
    return True

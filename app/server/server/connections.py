"""Connections to Postgres and Redis, with time limits short enough for a readiness probe."""

import os

import psycopg
import redis
from psycopg.rows import TupleRow

# Seconds. /readyz takes at most their sum (plus DNS lookups, which have no limit), so a probe's
# timeoutSeconds must be larger.
POSTGRES_SECONDS = (
    2  # the minimum of libpq: https://www.postgresql.org/docs/current/libpq-connect.html
)
REDIS_SECONDS = 1


def connect_postgres(statement_seconds: int = POSTGRES_SECONDS) -> psycopg.Connection[TupleRow]:
    """Open a connection to the server in libpq's variables (PGHOST, PGUSER, ...).

    Args:
        statement_seconds: how long one statement may run; 0 means no limit.

    Raises:
        psycopg.OperationalError: no connection within POSTGRES_SECONDS, or it was refused.
    """
    return psycopg.connect(
        connect_timeout=POSTGRES_SECONDS,
        # Milliseconds until unacknowledged data fails, for example if the database's node is lost.
        tcp_user_timeout=POSTGRES_SECONDS * 1000,
        options=f"-c statement_timeout={statement_seconds}s",
    )


def connect_redis() -> redis.Redis:
    """Return a client (a pool of connections, none opened yet) of the Redis at REDIS_URL.

    Raises:
        RuntimeError: REDIS_URL is missing or malformed. The message contains no part of it, since
            it may have a password.
    """
    url = os.environ.get("REDIS_URL")
    if not url:
        raise RuntimeError("REDIS_URL is not set; expected redis://host:port/database")
    try:
        # Unlike Redis(), from_url does not retry: retries would take longer than a probe may.
        return redis.Redis.from_url(
            url, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS
        )
    except ValueError:
        raise RuntimeError(
            "REDIS_URL is malformed; expected redis://[:password@]host:port/database, "
            "with rediss for TLS and the password percent-encoded"
        ) from None

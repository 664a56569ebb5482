"""Connections to Postgres and Redis, with time limits short enough for a readiness probe."""

import os

import psycopg
import redis
from psycopg.rows import TupleRow

# Seconds. Both together are the longest that /readyz takes (finding a host by name is not
# limited), so a probe's timeoutSeconds must be above their sum.
POSTGRES_SECONDS = (
    2  # libpq takes no less: https://www.postgresql.org/docs/current/libpq-connect.html
)
REDIS_SECONDS = 1


def connect_postgres(statement_seconds: int = POSTGRES_SECONDS) -> psycopg.Connection[TupleRow]:
    """Open a connection to the server that libpq's variables (PGHOST, PGUSER, ...) name.

    Args:
        statement_seconds: how long one statement may run; 0 means without limit.

    Raises:
        psycopg.OperationalError: no connection within POSTGRES_SECONDS, or one was refused.
    """
    return psycopg.connect(
        connect_timeout=POSTGRES_SECONDS,
        # Milliseconds: data that nobody acknowledges, as when the node of the database is lost.
        tcp_user_timeout=POSTGRES_SECONDS * 1000,
        options=f"-c statement_timeout={statement_seconds}s",
    )


def connect_redis() -> redis.Redis:
    """Return a client (a pool of connections, none opened yet) of the Redis at REDIS_URL.

    Raises:
        RuntimeError: REDIS_URL is missing or malformed. The message does not repeat any of it,
            since a password may be in it.
    """
    url = os.environ.get("REDIS_URL")
    if not url:
        raise RuntimeError("REDIS_URL is not set; expected redis://host:port/database")
    try:
        # from_url, other than Redis(), tries once: retries would outlast a probe.
        return redis.Redis.from_url(
            url, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS
        )
    except ValueError:
        raise RuntimeError(
            "REDIS_URL is malformed; expected redis://[:password@]host:port/database, "
            "with rediss for TLS and the password percent-encoded"
        ) from None

"""Visits: one row each in Postgres, and their count behind a cache in Redis.

The cache may be away: its errors are logged and Postgres is asked. Nothing about the visitor is
stored.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from .connections import connect_postgres

COUNT_KEY = "visits:count"
# Seconds that a count may be old. A write deletes the cached count, but a reader that asked
# Postgres before the write may store its older count after the deletion, and a deletion may fail:
# neither outlives this.
COUNT_SECONDS = 10

logger = logging.getLogger(__name__)


def add_visit(cache: redis.Redis) -> None:
    """Write a visit, then forget the cached count.

    Raises:
        psycopg.Error: the visit was not written.
    """
    with connect_postgres() as connection:
        connection.execute("INSERT INTO visits DEFAULT VALUES")
    # After the commit: earlier, a reader could cache the count from before this visit again.
    with _tolerated():
        cache.delete(COUNT_KEY)


def count_visits(cache: redis.Redis) -> tuple[int, bool]:
    """Return the number of visits, and whether it came from the cache.

    Raises:
        psycopg.Error: the count was not in the cache and Postgres could not say it.
    """
    cached = None
    with _tolerated():
        cached = cache.get(COUNT_KEY)
    if cached is not None:
        return int(cached), True
    with connect_postgres() as connection:
        [(visits,)] = connection.execute("SELECT count(*) FROM visits").fetchall()
    with _tolerated():
        cache.set(COUNT_KEY, visits, ex=COUNT_SECONDS)
    return visits, False


@contextmanager
def _tolerated() -> Iterator[None]:
    """Log an error of the cache instead of raising it."""
    try:
        yield
    except redis.RedisError as error:
        logger.warning("redis failed, going on without the cache: %s", error)

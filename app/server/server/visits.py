"""Visits: a row each in Postgres, and a cache of their number in Redis.

If the cache fails, the error is logged and Postgres has the number. Nothing about the visitor is
stored.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from .connections import connect_postgres

COUNT_KEY = "visits:count"
# Maximum age of a cached count, in seconds. A write deletes the cached count, but the deletion may
# fail, and a reader that queried Postgres before the write may cache its older count after it.
COUNT_SECONDS = 10

logger = logging.getLogger(__name__)


def add_visit(cache: redis.Redis) -> None:
    """Write a visit, then delete the cached count.

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
        psycopg.Error: the count was not cached, and Postgres did not return it.
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
        logger.warning("redis failed, continuing without the cache: %s", error)

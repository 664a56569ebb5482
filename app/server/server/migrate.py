"""The migration of the schema: `python -m server.migrate`, which runs before each deploy.

It only expands the schema, since the previous release uses it during the rollout and after a
rollback. It is idempotent.
"""

import sys
from typing import LiteralString

import psycopg

from .connections import connect_postgres

# Only append. Each statement must be idempotent and compatible with the previous release: no DROP,
# no RENAME, no new NOT NULL column without a default.
STATEMENTS: tuple[LiteralString, ...] = (
    """
    CREATE TABLE IF NOT EXISTS visits (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        visited_at timestamptz NOT NULL DEFAULT now()
    )
    """,
)

# Any number that nothing else in this database uses for a lock.
LOCK = 7_214_033_518
LOCK_SECONDS = 30


def migrate(lock_seconds: int = LOCK_SECONDS) -> None:
    """Bring the schema up to date, in one transaction.

    Args:
        lock_seconds: how long to wait for another migration, or for a table that the running
            release uses: other queries wait behind a waiting ALTER TABLE.

    Raises:
        psycopg.Error: the schema is unchanged.
    """
    with connect_postgres(statement_seconds=0) as connection:
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{lock_seconds}s"])
        # IF NOT EXISTS does not make concurrent migrations safe: both may find no table, and the
        # second then fails. The end of the transaction releases the lock.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for statement in STATEMENTS:
            connection.execute(statement)


def main() -> int:
    """Migrate, print the result, and return the exit code."""
    try:
        migrate()
    except psycopg.Error as error:
        print(f"migration failed, the schema is unchanged: {error}", file=sys.stderr)
        return 1
    print("the schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())

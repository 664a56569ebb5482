"""The schema's migration: `python -m server.migrate`, run before a release is deployed.

It only ever expands the schema, since the previous release keeps running on it during the rollout
and again after a rollback, and running it twice is the same as running it once.
"""

import sys
from typing import LiteralString

import psycopg

from .connections import connect_postgres

# Append to this. Each statement must do nothing where its work is done already, and must leave
# the previous release working: no DROP, no RENAME, no new NOT NULL column without a default.
STATEMENTS: tuple[LiteralString, ...] = (
    """
    CREATE TABLE IF NOT EXISTS visits (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        visited_at timestamptz NOT NULL DEFAULT now()
    )
    """,
)

# Any number will do, as long as nothing else in this database takes the same one.
LOCK = 7_214_033_518
LOCK_SECONDS = 30


def migrate(lock_seconds: int = LOCK_SECONDS) -> None:
    """Bring the schema up to date, all of it or nothing.

    Args:
        lock_seconds: how long to wait for another migration, or for a table that the running
            release uses: queries queue up behind a waiting ALTER TABLE.

    Raises:
        psycopg.Error: the schema is as it was before.
    """
    with connect_postgres(statement_seconds=0) as connection:
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{lock_seconds}s"])
        # IF NOT EXISTS alone does not make two migrations at once safe: both may find no table,
        # and the second then fails. The lock ends with the transaction, so it cannot be left over.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for statement in STATEMENTS:
            connection.execute(statement)


def main() -> int:
    """Migrate, say how it went, return the exit code."""
    try:
        migrate()
    except psycopg.Error as error:
        print(f"migration failed, the schema is unchanged: {error}", file=sys.stderr)
        return 1
    print("the schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())

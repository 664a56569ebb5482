"""Kind `postgres`: PostgreSQL, in the cluster or external."""

from typing import ClassVar, Literal

from wfgen.specs.kinds._database import DatabaseSpec
from wfgen.specs.kinds._model import Port
from wfgen.specs.kinds.service import Health, HealthOrNone


class PostgresSpec(DatabaseSpec):
    """PostgreSQL. Deployed when its own spec or manifests change; not rolled back by default."""

    kind: Literal["postgres"]
    ports: list[Port] = [5432]
    health: HealthOrNone = Health(tcp=5432)

    summary: ClassVar[str] = "PostgreSQL, in the cluster or external"
    check_image: ClassVar[str] = "postgres:17.2"
    check_command: ClassVar[tuple[str, str]] = (
        'psql "$URL" -tAc "select 1" | grep -qx 1',
        'PGSSLMODE=require psql "$URL" -tAc '
        '"select ssl from pg_stat_ssl where pid = pg_backend_pid()" | grep -qx t',
    )

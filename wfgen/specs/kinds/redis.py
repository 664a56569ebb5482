"""Kind `redis`: Redis, in the cluster or external."""

from typing import ClassVar, Literal

from wfgen.specs.kinds._database import DatabaseSpec
from wfgen.specs.kinds._model import Port
from wfgen.specs.kinds.service import Health, HealthOrNone


class RedisSpec(DatabaseSpec):
    """Redis. Deployed when its own spec or manifests change; not rolled back by default."""

    kind: Literal["redis"]
    ports: list[Port] = [6379]
    health: HealthOrNone = Health(tcp=6379)

    summary: ClassVar[str] = "Redis, in the cluster or external"
    check_image: ClassVar[str] = "redis:7.4.1"
    check_command: ClassVar[tuple[str, str]] = (
        'redis-cli -u "$URL" ping | grep -qx PONG',
        'case "$URL" in rediss://*) redis-cli --tls -u "$URL" ping | grep -qx PONG ;; '
        '*) echo "the address does not begin with rediss://" >&2; exit 1 ;; esac',
    )

"""The vocabulary of specs. `KINDS` is the only registry: a new kind is a file and an entry."""

from wfgen.kinds.client import ClientSpec
from wfgen.kinds.postgres import PostgresSpec
from wfgen.kinds.project import ProjectSpec
from wfgen.kinds.redis import RedisSpec
from wfgen.kinds.server import ServerSpec
from wfgen.kinds.service import ServiceSpec
from wfgen.kinds.terraform import TerraformSpec

KINDS: tuple[type[ServiceSpec], ...] = (
    ClientSpec,
    ServerSpec,
    RedisSpec,
    PostgresSpec,
    TerraformSpec,
)

__all__ = ["KINDS", "ProjectSpec", "ServiceSpec"]


def kind_name(kind: type[ServiceSpec]) -> str:
    """The word that a spec's `kind` field has for this kind."""
    return str(kind.__annotations__["kind"].__args__[0])

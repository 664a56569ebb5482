"""The vocabulary of specs. A new kind is a file and an entry in `KINDS`."""

from wfgen.specs.kinds.client import ClientSpec
from wfgen.specs.kinds.postgres import PostgresSpec
from wfgen.specs.kinds.project import ProjectSpec
from wfgen.specs.kinds.redis import RedisSpec
from wfgen.specs.kinds.server import ServerSpec
from wfgen.specs.kinds.service import ServiceSpec
from wfgen.specs.kinds.terraform import TerraformSpec

KINDS: tuple[type[ServiceSpec], ...] = (
    ClientSpec,
    ServerSpec,
    RedisSpec,
    PostgresSpec,
    TerraformSpec,
)

__all__ = ["KINDS", "ProjectSpec", "ServiceSpec"]


def kind_name(kind: type[ServiceSpec]) -> str:
    """The value of a spec's `kind` field for this kind."""
    return str(kind.__annotations__["kind"].__args__[0])

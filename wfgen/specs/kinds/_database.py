"""What the kinds of databases share."""

from collections.abc import Iterator
from typing import Annotated, Literal

from wfgen.specs.kinds._model import Between, Mistake
from wfgen.specs.kinds.service import ServiceSpec, Workload


class DatabaseSpec(ServiceSpec):
    """Holds data. Deployed when its own spec or manifests change; not rolled back by default."""

    workloads: list[Workload] = [Workload(kind="StatefulSet")]
    rollback: Literal["auto", "never"] = "never"
    allow_major: Annotated[int, Between(1, 9999)] | None = None
    """The major version that a release may upgrade the database to, such as `18`. Without it, a
    release that changes the major version is refused. Requires `migrate`, with a command that makes
    a backup and fails if the backup cannot be read."""

    def mistakes(self) -> Iterator[Mistake]:
        yield from super().mistakes()
        if self.allow_major is not None and self.migrate is None:
            hint = "add `migrate` with a command that makes a backup and verifies it"
            yield Mistake("allow_major", "`allow_major` requires `migrate`", hint)

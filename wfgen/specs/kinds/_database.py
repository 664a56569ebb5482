"""What the kinds of databases have in common."""

from collections.abc import Iterator
from typing import Annotated, Literal

from wfgen.specs.kinds._model import Between, Mistake
from wfgen.specs.kinds.service import ServiceSpec, Workload


class DatabaseSpec(ServiceSpec):
    """Holds data: never rolled back by itself; deployed when its own spec or manifests change."""

    workloads: list[Workload] = [Workload(kind="StatefulSet")]
    rollback: Literal["auto", "never"] = "never"
    allow_major: Annotated[int, Between(1, 9999)] | None = None
    """The major version that the database may be brought to. A release with another one than the
    live one is refused without it. It takes `migrate`, with a command that makes a backup and fails
    where that cannot be read back."""

    def mistakes(self) -> Iterator[Mistake]:
        yield from super().mistakes()
        if self.allow_major is not None and self.migrate is None:
            hint = "add `migrate` with the command that makes a backup, and checks it"
            yield Mistake("allow_major", "allow_major without migrate", hint)

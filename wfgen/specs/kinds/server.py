"""Kind `server`: a program of ours that runs in the cluster."""

from typing import ClassVar, Literal

from wfgen.specs.kinds.service import ServiceSpec


class ServerSpec(ServiceSpec):
    """A back end or a worker: built here, with or without ports, stateless in itself."""

    kind: Literal["server"]

    summary: ClassVar[str] = "a back end or worker, built here"

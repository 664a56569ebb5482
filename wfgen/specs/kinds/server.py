"""Kind `server`: a program of this repository that runs in the cluster."""

from typing import ClassVar, Literal

from wfgen.specs.kinds.service import ServiceSpec


class ServerSpec(ServiceSpec):
    """A stateless back end or worker, with or without ports."""

    kind: Literal["server"]

    summary: ClassVar[str] = "a back end or worker whose image the pipeline builds"

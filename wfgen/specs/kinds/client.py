"""Kind `client`: a front end that browsers load."""

from typing import ClassVar, Literal

from wfgen.specs.kinds._model import Port
from wfgen.specs.kinds.service import Health, HealthOrNone, ServiceSpec


class ClientSpec(ServiceSpec):
    """A front end: static files behind a web server, without state or secrets."""

    kind: Literal["client"]
    ports: list[Port] = [8080]
    health: HealthOrNone = Health(http="/")

    summary: ClassVar[str] = "a front end whose image the pipeline builds"

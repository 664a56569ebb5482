"""Kind `client`: what people load in a browser."""

from typing import ClassVar, Literal

from wfgen.specs.kinds._model import Port
from wfgen.specs.kinds.service import Health, HealthOrNone, ServiceSpec


class ClientSpec(ServiceSpec):
    """A front end: static files behind a web server, without state and secrets of its own."""

    kind: Literal["client"]
    ports: list[Port] = [8080]
    health: HealthOrNone = Health(http="/")

    summary: ClassVar[str] = "a front end, built here"

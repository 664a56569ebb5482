"""Kind `client`: what people load in a browser."""

from typing import ClassVar, Literal

from wfgen.kinds.service import Health, ServiceSpec


class ClientSpec(ServiceSpec):
    """A front end: static files behind a web server, without state and without secrets of its own."""

    kind: Literal["client"]
    ports: list[int] = [8080]
    health: Health | Literal["none"] = Health(http="/")

    summary: ClassVar[str] = "a front end, built here"

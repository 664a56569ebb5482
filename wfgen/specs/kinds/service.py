"""What all services can say; each kind adds its own defaults."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from wfgen.specs.kinds._model import (  # fmt: skip
    Between,
    Glob,
    Lasting,
    Line,
    Matching,
    Mistake,
    Model,
    Name,
    ObjectName,
    Port,
    Refused,
    SecretName,
)
from wfgen.specs.kinds.image import Build, Image, image_name

WorkloadKind = Literal["Deployment", "StatefulSet", "DaemonSet", "CronJob"]


class Workload(Model):
    """A Kubernetes object that runs the image."""

    kind: Annotated[
        WorkloadKind,
        Refused("give `migrate` for what runs once before a deploy, or a CronJob", value="Job"),
    ] = "Deployment"
    """Its kind. A CronJob is applied and rolled back with the others, but not watched: it runs
    later."""
    name: ObjectName | None = None
    """Its name in the rendered overlay; the service's by default."""
    container: ObjectName | None = None
    """The container that runs the image, beside sidecars; the service's name by default."""


class Health(Model):
    """How a running copy is asked whether it is well. Give one of http, tcp, exec and grpc."""

    http: (
        Annotated[
            str,
            Matching(r"/[A-Za-z0-9_./~%?=&-]*", "a path that begins with /"),
        ]
        | None
    ) = None
    """A path that answers 2xx or 3xx where all is well."""
    tcp: Port | None = None
    """A port that accepts connections."""
    exec: Annotated[list[Line], Field(min_length=1)] | None = None
    """A command that exits 0 in the container."""
    port: Port | None = None
    """The port of `http`; the service's first port by default."""
    grpc: Port | None = None
    """A port that speaks the gRPC health protocol. The kubelet asks it: the container's
    `readinessProbe` must be `grpc` with this port."""

    def mistakes(self) -> Iterator[Mistake]:
        ways = [way for way in ("http", "tcp", "exec", "grpc") if getattr(self, way) is not None]
        if len(ways) != 1:
            given = " and ".join(ways) or "nothing"
            yield Mistake(
                "", f"{given} given; expected one of http, tcp, exec and grpc", "or: none"
            )
        elif self.port is not None and self.http is None:
            yield Mistake("port", f"port goes with http, not with {ways[0]}", "remove it")


# Told apart by hand, so that a mistake is reported for the one that was meant alone.
HealthOrNone = Annotated[
    Annotated[Health, Tag("Health")] | Annotated[Literal["none"], Tag("none")],
    Discriminator(
        lambda given: (
            "Health" if isinstance(given, dict | Health) else given if given == "none" else None
        ),
        custom_error_type="health_type",
        custom_error_message="no",
    ),
]


class Migrate(Model):
    """A Job that runs before the service is deployed, in its new image and with its secrets."""

    command: Annotated[list[Line], Field(min_length=1)]
    """The command and its arguments."""
    timeout: Annotated[int, Lasting("1s", "5h")] = 600
    """The Job is stopped after this time."""
    contracting: bool = False
    """The migration removes what the release before it needs: automatic rollback is off then."""


class Rollout(Model):
    """How long the rollout may take, and how long it is watched."""

    timeout: Annotated[int, Lasting("1s", "1h")] = 300
    """All copies must be ready within this time, counted from their apply."""
    bake: Annotated[int, Lasting("0s", "4h")] = 120
    """How long the ready copies are watched before the release counts as good."""


class External(Model):
    """The service runs outside the cluster (RDS, ElastiCache): where, and how it is reached."""

    secret: SecretName
    """The secret whose value is the address, user, password and TLS mode in one URL. Workloads find
    it under this name in the Secret `<service>-secrets`."""
    tls: bool = True
    """The connection is encrypted; the check before a release insists on it."""


_OF_DEPLOYED = {
    "autoscaled", "depends_on", "external", "health", "migrate", "replicas", "rollback", "rollout",
    "secrets", "workloads",
}  # fmt: skip
"""What says nothing of an image that is built and not deployed."""


class ServiceSpec(Model):
    """A service: what is built, what runs, and what tells that it is well."""

    kind: str
    """What the service is; chooses the defaults."""
    name: Name
    """The service's name; the file's by default."""
    depends_on: list[Name] = []
    """Services that are deployed, and ready, before this one."""
    image: Image = Image()
    """The image that the workloads run."""
    build: Build | None = None
    """How the image is built; left out where it is somebody else's."""
    watch: list[Glob] = []
    """Further paths whose change means that the service changed. The build context, the spec and
    the manifests in `kube/bases/<service>/` are watched anyway."""
    deploy: bool = True
    """false: the image is built and pushed, and nothing is deployed."""
    workloads: Annotated[list[Workload], Field(min_length=1)] = [Workload()]
    """The objects that run the image; several where one image has several tasks."""
    ports: list[Port] = []
    """The ports that the container listens on: none, one or several."""
    health: HealthOrNone = "none"
    """How a running copy is asked whether it is well."""
    secrets: list[SecretName] = []
    """Secrets that the workloads find in the Secret `<service>-secrets`. Their values are GitHub
    secrets named `<NAME>_<ENVIRONMENT>`; they are never printed."""
    replicas: Annotated[int, Between(0, 1000)] | None = None
    """Number of copies; what the manifests say by default."""
    autoscaled: bool = False
    """A HorizontalPodAutoscaler in the manifests owns the number of copies: it is never applied."""
    migrate: Migrate | None = None
    """A migration before each deploy."""
    rollback: Literal["auto", "never"] = "auto"
    """never: a failed release leaves this service as it is, and says so."""
    rollout: Rollout = Rollout()
    """Timeouts."""
    only_in: list[Name] = []
    """The environments that have this service; all by default."""
    external: dict[Name, External] = {}
    """Environments where the service runs outside the cluster."""

    summary: ClassVar[str]
    """One line on what the kind is for."""
    refused: ClassVar[str] = ""
    """What to do instead of a kind that is not rendered; empty where it is."""
    check_image: ClassVar[str] = ""
    """The image that asks an external service whether it answers."""
    check_command: ClassVar[tuple[str, str]] = ("", "")
    """The commands that ask it: without and with TLS."""

    @property
    def manifest_image(self) -> str:
        """The name by which the manifests call the image."""
        reference = self.image.reference
        return self.image.manifest or (image_name(reference) if reference else self.name)

    def mistakes(self) -> Iterator[Mistake]:
        if self.build is not None and self.image.reference:
            yield Mistake(
                "image.reference", "both build and image.reference; expected one", "remove one"
            )
        if self.build is None:
            if not (self.image.reference or self.external):
                yield Mistake(
                    "kind", "neither build nor image.reference; expected one of them",
                    "add `build:` with the context, or `image: {reference: name:tag}`",
                )  # fmt: skip
            if self.image.name:
                yield Mistake("image.name", "image.name, and nothing is built", "remove it")
            if not self.deploy:
                yield Mistake("deploy", "deploy is false and nothing is built", "add `build:`")
        if not self.deploy:
            for name in sorted(self.model_fields_set & _OF_DEPLOYED):
                hint = "remove it, or `deploy: false`"
                yield Mistake(name, f"{name} says nothing where deploy is false", hint)
            return
        health = self.health
        if isinstance(health, Health) and health.http and not (health.port or self.ports):
            yield Mistake("health", "health.http without a port", "add `ports`, or `health.port`")
        yield from self._copies()
        if self.external and not self.check_image:
            yield Mistake("external", f"a {self.kind} is never external", "redis and postgres are")

    def _copies(self) -> Iterator[Mistake]:
        if self.autoscaled and self.replicas is not None:
            yield Mistake("replicas", "both replicas and autoscaled; expected one", "remove one")
        uncounted = {w.kind for w in self.workloads} & {"DaemonSet", "CronJob"}
        for name in ("replicas", "autoscaled"):
            if getattr(self, name) and uncounted:
                kind = min(uncounted)
                yield Mistake(name, f"a {kind} has no number of copies", "remove it")

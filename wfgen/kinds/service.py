"""What all services can say; each kind adds its own defaults."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from wfgen.kinds._model import (
    ArgumentName, Duration, Glob, ImageName, ImageReference, Line, Model, Name, ObjectName, Path,
    Port, Refused, SecretName, Text,
)  # fmt: skip

WorkloadKind = Literal["Deployment", "StatefulSet", "DaemonSet", "CronJob"]


class Build(Model):
    """How the image is built."""

    context: Path = "."
    """The folder that the build sees."""
    dockerfile: Path | None = None
    """The Dockerfile, from the repository's root; `Dockerfile` in the context by default."""
    target: Line | None = None
    """The stage of the Dockerfile to build; the last by default."""
    args: dict[ArgumentName, Line] = {}
    """Build arguments of fixed value. One Dockerfile makes many images by them."""
    dynamic_args: dict[ArgumentName, Literal["sha", "run_id", "run_number", "environment"]] = {}
    """Build arguments whose value is known only in the run: the commit's SHA, the run's id or
    number, the name of the environment."""
    platforms: Annotated[list[Line], Field(min_length=1)] = ["linux/amd64"]
    """Platforms of the image; others than linux/amd64 are emulated."""
    cache_scope: Name | None = None
    """Services with one scope share their layers; the service's name by default."""
    test: Text | None = None
    """A shell command that must succeed before the image is built, such as `make test`."""
    before: Text | None = None
    """A shell command run before the build, such as one that generates sources."""
    builder: Annotated[Line | None, Refused("remove it; images are built by docker buildx")] = None
    """A builder other than docker buildx (buildpacks, bazel, ko)."""
    needs: Annotated[
        list[Name],
        Refused("remove it; use stages of one Dockerfile for images that build on another"),
    ] = []
    """Images that must be built before this one."""


class Image(Model):
    """The image that the workloads run."""

    name: ImageName | None = None
    """Its name in the project's registry, free to differ from the service's; `<project>-<service>`
    by default."""
    reference: ImageReference | None = None
    """Somebody else's image, by exact tag or digest; nothing is built."""
    manifest: ImageName | None = None
    """The name by which the manifests call the image (kustomize's `images[].name`); the service's
    name by default, or the reference without its tag."""


class Workload(Model):
    """A Kubernetes object that runs the image."""

    kind: WorkloadKind = "Deployment"
    """Its kind."""
    name: ObjectName | None = None
    """Its name in the rendered overlay; the service's by default."""
    container: ObjectName | None = None
    """The container that runs the image, where there are sidecars; the service's name by default."""


class Health(Model):
    """How a running copy is asked whether it is well. Give one of http, tcp and exec."""

    http: Annotated[str, Field(pattern=r"^/[A-Za-z0-9_./~%?=&-]*$")] | None = None
    """A path that answers 2xx or 3xx where all is well."""
    tcp: Port | None = None
    """A port that accepts connections."""
    exec: Annotated[list[Line], Field(min_length=1)] | None = None
    """A command that exits 0 in the container."""
    port: Port | None = None
    """The port of `http`; the service's first port by default."""
    grpc: Annotated[
        Port | None, Refused("use http, tcp or exec (for instance grpc_health_probe)")
    ] = None
    """A port that speaks the gRPC health protocol."""

    @model_validator(mode="after")
    def _one_way(self) -> Health:
        ways = [way for way in ("http", "tcp", "exec") if getattr(self, way) is not None]
        if len(ways) != 1:
            raise PydanticCustomError(
                "health",
                "health has {count} of http, tcp and exec; expected one",
                {"count": len(ways)},
            )
        if self.port and self.http is None:
            raise PydanticCustomError("health", "health.port goes with health.http alone", {})
        return self


class Migrate(Model):
    """A Job that runs before the service is deployed, in its new image and with its secrets."""

    command: Annotated[list[Line], Field(min_length=1)]
    """The command and its arguments."""
    timeout: Duration = 600
    """The Job is stopped after this time."""
    contracting: bool = False
    """The migration removes what the release before it needs: automatic rollback is off then."""


class Rollout(Model):
    """How long the rollout may take, and how long it is watched."""

    timeout: Duration = 300
    """All copies must be ready within this time."""
    bake: Duration = 120
    """How long the ready copies are watched before the release counts as good."""


class External(Model):
    """The service runs outside the cluster (RDS, ElastiCache): where, and how it is reached."""

    secret: SecretName
    """The secret whose value is the address, user, password and TLS mode in one URL. Workloads find
    it under this name in the Secret `<service>-secrets`."""
    tls: bool = True
    """The connection is encrypted; the check before a release insists on it."""


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
    health: Health | Literal["none"] = "none"
    """How a running copy is asked whether it is well."""
    secrets: list[SecretName] = []
    """Secrets that the workloads find in the Secret `<service>-secrets`. Their values are GitHub
    secrets named `<NAME>_<ENVIRONMENT>`; they are never printed."""
    replicas: Annotated[int, Field(ge=0, le=1000)] | None = None
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
    builds: ClassVar[bool] = True
    """Whether the kind is built here as a rule."""
    check_image: ClassVar[str] = ""
    """The image that asks an external service whether it answers."""
    check_command: ClassVar[tuple[str, str]] = ("", "")
    """The commands that ask it: without and with TLS."""

    @property
    def manifest_image(self) -> str:
        """The name by which the manifests call the image."""
        own = self.name if self.build else image_name(str(self.image.reference))
        return self.image.manifest or own

    @model_validator(mode="after")
    def _consistent(self) -> ServiceSpec:
        if self.build is not None and self.image.reference:
            fail("image", "both build and image.reference; expected one of them", "remove one")
        if self.build is None and not self.image.reference:
            fail("image", "neither build nor image.reference; expected one of them",
                  "add `build:` with the context, or `image: {reference: name:tag}`")  # fmt: skip
        if self.autoscaled and self.replicas is not None:
            fail("replicas", "both replicas and autoscaled; expected one of them", "remove one")
        if not self.deploy and self.build is None:
            fail(
                "deploy", "deploy is false and nothing is built", "remove the spec, or add `build:`"
            )
        health = self.health
        if isinstance(health, Health) and health.http and not (health.port or self.ports):
            fail("health", "health.http without a port", "add `ports:` or `health.port`")
        if self.external and not self.check_image:
            fail("external", f"a {self.kind} cannot be external", "redis and postgres can")
        return self


def image_name(reference: str) -> str:
    """An image's name without tag and digest."""
    reference = reference.split("@")[0]
    head, colon, tag = reference.rpartition(":")
    return head if colon and "/" not in tag else reference


def fail(rule: str, message: str, hint: str) -> None:
    """Refuses a spec from a validator."""
    raise PydanticCustomError(rule, "{message}", {"message": message, "hint": hint})

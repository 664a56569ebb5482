"""The fields of all services; each kind has its own defaults."""

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
from wfgen.specs.kinds.secrets import EXISTING, Secrets, Use

WorkloadKind = Literal["Deployment", "StatefulSet", "DaemonSet", "CronJob"]


class Workload(Model):
    """A Kubernetes object that runs the image."""

    kind: Annotated[
        WorkloadKind,
        Refused("for a task before each deploy, use `migrate`; else, a CronJob", value="Job"),
    ] = "Deployment"
    """The kind of the object. A CronJob is applied and rolled back like the others, but not
    watched: it runs later."""
    name: ObjectName | None = None
    """The name of the object in the rendered overlay; default: the service's name."""
    container: ObjectName | None = None
    """The name of the container that runs the image; default: the service's name."""


class Health(Model):
    """The health check of a running pod. Set one of `http`, `tcp`, `exec` and `grpc`."""

    http: (
        Annotated[
            str,
            Matching(r"/[A-Za-z0-9_./~%?=&-]*", "URL path", "start it with `/`"),
        ]
        | None
    ) = None
    """A path, such as `/readyz`, that must respond with status 2xx or 3xx."""
    tcp: Port | None = None
    """A port that must accept connections."""
    exec: Annotated[list[Line], Field(min_length=1)] | None = None
    """A command that must exit 0 in the container, as a list: `[pg_isready]`."""
    port: Port | None = None
    """The port of `http`; default: the service's first port."""
    grpc: Port | None = None
    """A port that serves the gRPC health checking protocol. The kubelet checks it: the container
    needs a `readinessProbe` of type `grpc` on this port."""

    def mistakes(self) -> Iterator[Mistake]:
        ways = [way for way in ("http", "tcp", "exec", "grpc") if getattr(self, way) is not None]
        if len(ways) != 1:
            given = " and ".join(f"`{way}`" for way in ways) or "none"
            message = f"expected one of `http`, `tcp`, `exec` and `grpc`, found {given}"
            yield Mistake("", message, "for no health check, write `health: none`")
        elif self.port is not None and self.http is None:
            yield Mistake("port", f"`port` applies only to `http`, not to `{ways[0]}`", "remove it")


# An explicit discriminator: pydantic would report an error for each member of the union.
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
    """A Job that runs before each deploy, with the new image and the service's secrets."""

    command: Annotated[list[Line], Field(min_length=1)]
    """The command and its arguments, as a list: `[python, -m, migrate]`."""
    timeout: Annotated[int, Lasting("1s", "5h")] = 600
    """The Job is stopped and fails after this time."""
    contracting: bool = False
    """The migration removes something that the previous release needs, such as a column. This
    disables automatic rollback."""


class Rollout(Model):
    """The time limits of a rollout."""

    timeout: Annotated[int, Lasting("1s", "1h")] = 300
    """All pods must be ready within this time after they are applied."""
    bake: Annotated[int, Lasting("0s", "4h")] = 120
    """How long the ready pods must stay healthy before the release counts as good."""


class External(Model):
    """A service that runs outside the cluster, such as RDS or ElastiCache."""

    secret: SecretName
    """The key of the service's Secret that has its URL: host, user, password and TLS mode."""
    from_: Annotated[SecretName | None, Field(alias="from")] = None
    """The name of the secret in the GitHub environment; default: that of the key. Two services can
    name the same one."""
    tls: bool = True
    """Whether the connection must be encrypted; checked before each release."""


_OF_DEPLOYED = {
    "autoscaled", "depends_on", "external", "health", "migrate", "replicas", "rollback", "rollout",
    "secret_name", "secrets", "workloads",
}  # fmt: skip
"""Fields that have no meaning with `deploy: false`."""


class ServiceSpec(Model):
    """A service: its image, its workloads and their health check."""

    kind: str
    """What the service is; selects the defaults."""
    name: Name
    """The service's name; default: the file's name."""
    depends_on: list[Name] = []
    """Services that must be deployed and ready before this one."""
    image: Image = Image()
    """The image that the workloads run."""
    build: Build | None = None
    """How to build the image. Omit it for a published image."""
    watch: list[Glob] = []
    """More paths whose changes count as a change of the service. The build context, the spec and
    the manifests in `kube/bases/<service>/` are always watched."""
    deploy: bool = True
    """Set `false` to build and push the image without deploying it."""
    workloads: Annotated[list[Workload], Field(min_length=1)] = [Workload()]
    """The Kubernetes objects that run the image."""
    ports: list[Port] = []
    """The ports that the container listens on."""
    health: HealthOrNone = "none"
    """The health check of a running pod, or `none`."""
    secrets: Secrets = []
    """What the workloads find in the service's Kubernetes Secret: a list of keys, whose values are
    secrets of the same names in the GitHub environment; or `{<KEY>: {from: <NAME>}}`, for other
    names, and for a secret that several services share. With `existing`, something in the cluster
    fills the Secret, such as External Secrets, and a release does not make it."""
    secret_name: ObjectName | None = None
    """The name of the Kubernetes Secret; default: `<service>-secrets`."""
    replicas: Annotated[int, Between(0, 1000)] | None = None
    """The number of pods; default: what the manifests say."""
    autoscaled: bool = False
    """A HorizontalPodAutoscaler in the manifests sets the number of pods; a release does not change
    it."""
    migrate: Migrate | None = None
    """A migration that runs before each deploy."""
    rollback: Literal["auto", "never"] = "auto"
    """With `never`, a failed release does not roll this service back, and reports that."""
    rollout: Rollout = Rollout()
    """The time limits of a rollout."""
    only_in: list[Name] = []
    """The environments that have this service; default: all."""
    external: dict[Name, External] = {}
    """The environments where the service runs outside the cluster."""

    summary: ClassVar[str]
    """What the kind is for, in one line."""
    refused: ClassVar[str] = ""
    """For a kind that is not supported: what to do instead."""
    check_image: ClassVar[str] = ""
    """The image with the client that checks an external service."""
    check_command: ClassVar[tuple[str, str]] = ("", "")
    """The shell commands that check it, without and with TLS."""

    @property
    def kubernetes_secret(self) -> str:
        """The name of its Kubernetes Secret in the manifests."""
        return self.secret_name or f"{self.name}-secrets"

    def secrets_in(self, environment: str) -> list[Use]:
        """What a release puts into its Secret; nothing where the Secret exists already."""
        if self.secrets == EXISTING:
            return []
        uses: dict[str, Use] = {}
        if external := self.external.get(environment):
            field = "secret" if external.from_ is None else "from"
            stored = external.from_ or external.secret
            route = ("external", environment, field)
            uses[external.secret] = Use(external.secret, stored, route, field == "from")
        if isinstance(self.secrets, dict):
            for key, source in self.secrets.items():
                uses[key] = Use(key, source.from_, ("secrets", key, "from"), True)
        else:
            for index, key in enumerate(self.secrets):
                uses.setdefault(key, Use(key, key, ("secrets", index), False))
        return [uses[key] for key in sorted(uses)]

    @property
    def manifest_image(self) -> str:
        """The name of the image in the manifests."""
        reference = self.image.reference
        return self.image.manifest or (image_name(reference) if reference else self.name)

    def mistakes(self) -> Iterator[Mistake]:
        yield from self._image_mistakes()
        if not self.deploy:
            for name in sorted(self.model_fields_set & _OF_DEPLOYED):
                message = f"`{name}` has no effect with `deploy: false`"
                yield Mistake(name, message, f"remove `{name}`, or `deploy: false`")
            return
        health = self.health
        if isinstance(health, Health) and health.http and not (health.port or self.ports):
            message = "missing port for `health.http`"
            yield Mistake("health", message, "add `ports`, or `health.port`")
        yield from self._replica_mistakes()
        if self.external and not self.check_image:
            message = f"`external` does not apply to kind `{self.kind}`"
            yield Mistake("external", message, "only `postgres` and `redis` can be external")

    def _image_mistakes(self) -> Iterator[Mistake]:
        if self.build is not None:
            if self.image.reference:
                message = "`build` and `image.reference` exclude each other"
                yield Mistake("image.reference", message, "remove one of them")
            return
        if not (self.image.reference or self.external):
            hint = "add `build: {context: <folder>}`, or `image: {reference: <name>:<tag>}`"
            yield Mistake("kind", "missing `build` or `image.reference`", hint)
        if self.image.name:
            message = "`image.name` has no effect without `build`"
            yield Mistake("image.name", message, "remove it")
        if not self.deploy:
            yield Mistake("deploy", "`deploy: false` requires `build`", "add `build`")

    def _replica_mistakes(self) -> Iterator[Mistake]:
        if self.autoscaled and self.replicas is not None:
            message = "`replicas` and `autoscaled` exclude each other"
            yield Mistake("replicas", message, "remove one of them")
        without_replicas = {workload.kind for workload in self.workloads} & {"DaemonSet", "CronJob"}
        for name in ("replicas", "autoscaled"):
            if getattr(self, name) and without_replicas:
                kind = min(without_replicas)
                yield Mistake(name, f"`{name}` does not apply to a {kind}", "remove it")

"""From specs to a plan: which workflows to generate, and the values derived for them."""

from __future__ import annotations

import graphlib
import math
from dataclasses import dataclass
from functools import cached_property

from wfgen.release_program import names
from wfgen.specs.kinds.project import Environment
from wfgen.specs.kinds.service import ServiceSpec
from wfgen.specs.references import Project, Service
from wfgen.text.quoting import scalar


@dataclass(frozen=True)
class PlannedService:
    """A service, and what is derived from its spec and the project's."""

    service: Service
    project: Project

    @property
    def spec(self) -> ServiceSpec:
        return self.service.spec

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def job(self) -> str:
        """Id of the job that builds it (ids have letters, digits, - and _)."""
        return names.build_job(self.name)

    @property
    def dockerfile(self) -> str:
        build = self.spec.build
        assert build is not None
        return build.dockerfile or _join(build.context, "Dockerfile")

    @property
    def repository(self) -> str | None:
        """The image repository of a service that is built; None for others."""
        if self.spec.build is None:
            return None
        name = self.spec.image.name or f"{self.project.spec.project}-{self.name}"
        return f"{self.project.spec.registry.prefix}/{name}"

    @property
    def watch(self) -> list[str]:
        """Paths whose changes need a new image, or a release of the service."""
        paths = [self.service.file.path, *self.spec.watch]
        if self.spec.build is not None:
            context = self.spec.build.context.removeprefix("./").rstrip("/")
            paths.append(f"{context}/" if context not in ("", ".") else ".")
            if not self.dockerfile.startswith(f"{context}/"):
                paths.append(self.dockerfile)
        return sorted(set(paths))

    @property
    def manifests(self) -> list[str]:
        """Paths of the manifests of its workloads; changes there need a release but no build."""
        bases = [self.name, *(w.name for w in self.spec.workloads if w.name)]
        return [f"kube/bases/{name}/" for name in dict.fromkeys(bases)] if self.spec.deploy else []


@dataclass(frozen=True)
class PlannedEnvironment:
    """An environment and its services."""

    name: str
    spec: Environment
    services: tuple[PlannedService, ...]
    project: Project

    @property
    def suffix(self) -> str:
        """The suffix of its secrets' names, as in KUBECONFIG_PRODUCTION."""
        return names.secret_suffix(self.name)

    @property
    def overlay(self) -> str:
        return (self.spec.overlay or f"kube/overlays/{self.name}").rstrip("/")

    @property
    def namespace(self) -> str:
        base = self.spec.namespace or self.project.spec.project
        return base + "-pr-{number}" if self.spec.preview else base

    @property
    def runner(self) -> str:
        return self.spec.runner or self.project.spec.runner

    @cached_property
    def deployed(self) -> tuple[PlannedService, ...]:
        """The services that it deploys, each after its dependencies."""
        return tuple(s for s in self.services if s.spec.deploy)

    @cached_property
    def built(self) -> tuple[PlannedService, ...]:
        return tuple(s for s in self.services if s.spec.build is not None)

    @cached_property
    def secrets(self) -> list[str]:
        """The names of its services' runtime secrets."""
        return sorted({name for s in self.deployed for name in self.secrets_of(s)})

    def secrets_of(self, service: PlannedService) -> list[str]:
        external = service.spec.external.get(self.name)
        return sorted({*service.spec.secrets, *([external.secret] if external else [])})

    @property
    def passed_secrets(self) -> list[tuple[str, str]]:
        """Secrets that the called workflow gets: their names there, and in the repository."""
        keys = ["KUBECONFIG"] if self.spec.cluster.type == "kubeconfig" else []
        return [(key, names.secret(key, self.name)) for key in [*keys, *self.secrets]]


@dataclass(frozen=True)
class Pipeline:
    """A workflow that builds services and releases them to one environment."""

    name: str
    environment: PlannedEnvironment
    services: tuple[PlannedService, ...]
    alone: str | None = None
    """The only service of the pipeline; None for a pipeline of all services."""

    @property
    def built(self) -> tuple[PlannedService, ...]:
        return tuple(s for s in self.services if s.spec.build is not None)

    @property
    def paths(self) -> list[str]:
        """The path filter of a pipeline of one service; empty for no filter."""
        if self.alone is None:
            return []
        paths = {p for s in self.services for p in (*s.watch, *s.manifests)}
        paths |= {f"{self.environment.overlay}/", "specs/project.yaml"}
        return [] if "." in paths else sorted(p + "**" if p.endswith("/") else p for p in paths)


@dataclass(frozen=True)
class Plan:
    """The environments and pipelines of a project."""

    project: Project
    environments: tuple[PlannedEnvironment, ...]
    pipelines: tuple[Pipeline, ...]

    @property
    def previews(self) -> tuple[PlannedEnvironment, ...]:
        return tuple(e for e in self.environments if e.spec.preview)

    @property
    def lasting(self) -> tuple[PlannedEnvironment, ...]:
        return tuple(e for e in self.environments if not e.spec.preview)

    @property
    def oidc(self) -> bool:
        """Whether a job that accesses a cluster needs an OIDC token."""
        return any(e.spec.cluster.oidc for e in self.environments)

    @property
    def kubeconfigs(self) -> bool:
        """Whether an environment uses a kubeconfig in a secret."""
        return any(e.spec.cluster.type == "kubeconfig" for e in self.environments)

    @property
    def base(self) -> PlannedEnvironment | None:
        """The environment whose images previews use for services without changes."""
        pushed = [e for e in self.lasting if e.spec.deploy_on == "push"]
        return next(iter([*pushed, *self.lasting]), None)

    @property
    def watched(self) -> list[str]:
        """The names of the workflows that the watchdog checks when they end."""
        return [p.name for p in self.pipelines if not p.environment.spec.preview]

    @property
    def runners(self) -> list[str]:
        return sorted({e.runner for e in self.environments})

    @property
    def release_runner(self) -> str:
        """`runs-on` of the shared release jobs, in YAML: the only runner, or the caller's."""
        return scalar(self.runners[0]) if len(self.runners) == 1 else "${{ inputs.runner }}"

    @property
    def runtime_secrets(self) -> list[str]:
        return sorted({name for e in self.environments for name in e.secrets})

    @property
    def secrets(self) -> list[str]:
        """The secrets of the release workflow."""
        return [*(["KUBECONFIG"] if self.kubeconfigs else []), *self.runtime_secrets]

    @property
    def migrates(self) -> bool:
        return any(s.spec.migrate for e in self.environments for s in e.deployed)

    @cached_property
    def minutes(self) -> dict[str, int]:
        """`timeout-minutes` of the release's jobs: longer than the program's own deadlines."""
        deployed = [s.spec for e in self.environments for s in e.deployed]
        rollout = max((s.rollout.timeout for s in deployed), default=0)
        watch = max((s.rollout.timeout + s.rollout.bake for s in deployed), default=0)
        chain = max(
            (sum(s.spec.rollout.timeout for s in e.deployed) for e in self.environments), default=0
        )
        migrate = sum({s.name: s.migrate.timeout for s in deployed if s.migrate}.values())
        seconds = {
            "preflight": 600,
            "migrate": migrate + 300,
            "deploy": min(chain, 4 * rollout) + 600,
            "monitor": watch + 600,
            "rollback": 3 * rollout + 600,
        }
        return {job: min(math.ceil(value / 60), 360) for job, value in seconds.items()}


def plan(project: Project) -> Plan:
    """The plan of a project: one pipeline per environment, or per environment and service."""
    ordered = _in_order([PlannedService(service, project) for service in project.services])
    environments = tuple(
        PlannedEnvironment(
            name,
            spec,
            tuple(s for s in ordered if not s.spec.only_in or name in s.spec.only_in),
            project,
        )
        for name, spec in project.spec.environments.items()
    )
    pipelines: list[Pipeline] = []
    for environment in environments:
        if project.spec.layout == "per-service" and not environment.spec.preview:
            pipelines += [
                Pipeline(
                    names.pipeline(environment.name, service.name),
                    environment,
                    (service,),
                    service.name,
                )
                for service in environment.services
            ]
        else:
            name = names.pipeline(environment.name)
            pipelines.append(Pipeline(name, environment, environment.services))
    return Plan(project, environments, tuple(pipelines))


def _in_order(services: list[PlannedService]) -> tuple[PlannedService, ...]:
    """The services, each after its dependencies, otherwise sorted by name."""
    by_name = {s.name: s for s in services}
    order = graphlib.TopologicalSorter(
        {s.name: [d for d in s.spec.depends_on if d in by_name] for s in services}
    )
    order.prepare()
    done: list[PlannedService] = []
    while order.is_active():
        ready = sorted(order.get_ready())
        done += [by_name[name] for name in ready]
        order.done(*ready)
    return tuple(done)


def _join(folder: str, name: str) -> str:
    folder = folder.removeprefix("./").rstrip("/")
    return name if folder in ("", ".") else f"{folder}/{name}"

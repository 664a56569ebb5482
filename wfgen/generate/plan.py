"""From specs to a plan: which workflows to generate, and the values derived for them."""

from __future__ import annotations

import graphlib
from dataclasses import dataclass
from functools import cached_property

from wfgen.generate.time_limits import BEFORE_RELEASE, LOGIN_LIFETIME, minutes
from wfgen.release_program import names
from wfgen.release_program.names import Variable
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
    def overlay(self) -> str:
        return (self.spec.overlay or f"kube/overlays/{self.name}").rstrip("/")

    @property
    def namespace(self) -> str:
        base = self.spec.namespace or self.project.spec.project
        return base + "-pr-{number}" if self.spec.preview else base

    @property
    def runner(self) -> str:
        project = self.project.spec
        requested = project.pull_request_runner if self.spec.preview else None
        return self.spec.runner or requested or project.runner

    @cached_property
    def deployed(self) -> tuple[PlannedService, ...]:
        """The services that it deploys, each after its dependencies."""
        return tuple(s for s in self.services if s.spec.deploy)

    @cached_property
    def built(self) -> tuple[PlannedService, ...]:
        return tuple(s for s in self.services if s.spec.build is not None)

    @cached_property
    def secrets(self) -> list[str]:
        """The names of the GitHub secrets with the values of its services' Secrets."""
        return sorted({stored for s in self.deployed for stored in self.secrets_of(s).values()})

    def secrets_of(self, service: PlannedService) -> dict[str, str]:
        """The GitHub secret with the value of each key of a service's Secret."""
        return {use.key: use.stored for use in service.spec.secrets_in(self.name)}

    @property
    def passed_secrets(self) -> list[str]:
        """The GitHub secrets that the called workflow reads."""
        kubeconfig = [Variable.KUBECONFIG] if self.spec.cluster.type == "kubeconfig" else []
        return [*kubeconfig, *self.secrets]


@dataclass(frozen=True)
class Pipeline:
    """A workflow that builds services and, unless `checks_only`, releases them."""

    name: str
    environment: PlannedEnvironment
    services: tuple[PlannedService, ...]
    alone: str | None = None
    """The only service of the pipeline; None for a pipeline of all services."""
    checks_only: bool = False
    """Whether it only builds and tests pull requests."""

    @property
    def request(self) -> bool:
        """Whether pull requests start it."""
        return self.checks_only or self.environment.spec.preview

    @property
    def label(self) -> str | None:
        """The label that a pull request needs to get a preview."""
        return None if self.checks_only else self.environment.spec.label

    @property
    def built(self) -> tuple[PlannedService, ...]:
        return tuple(s for s in self.services if s.spec.build is not None)

    @property
    def build_runner(self) -> str:
        project = self.environment.project.spec
        return (self.request and project.pull_request_runner) or project.runner

    @property
    def cache(self) -> str:
        """The first part of the scope of its builds' layer cache."""
        return self.name if self.checks_only else self.environment.name

    @property
    def before_approval(self) -> list[str]:
        """The jobs that the approval waits for: the plan and the builds."""
        return [names.Job.PLAN, *(service.job for service in self.built)]

    @property
    def before_release(self) -> list[str]:
        approve = [names.Job.APPROVE] if self.environment.spec.approval else []
        return [*self.before_approval, *approve]

    @property
    def before_finish(self) -> list[str]:
        """All jobs before the last one, which judges them."""
        if self.checks_only:
            return self.before_approval
        revert = [] if self.request else [names.Job.REVERT]
        return [*self.before_release, names.Job.RELEASE, *revert]

    @property
    def paths(self) -> list[str]:
        """The path filter of a pipeline of one service; empty for no filter."""
        if self.alone is None:
            return []
        paths = {p for s in self.services for p in (*s.watch, *s.manifests)}
        paths |= {f"{self.environment.overlay}/", "specs/project.yaml"}
        return [] if "." in paths else sorted(p + "**" if p.endswith("/") else p for p in paths)


LOGIN = "cluster"
"""The id of the step that logs in to the cluster."""


@dataclass(frozen=True)
class ReleaseStep:
    """A step of a release that may need a further login to the cluster."""

    command: str
    title: str
    minutes: int
    login: str
    """The id of the step whose login it uses."""
    login_again: bool
    """Whether that login comes right before it: the first one may have expired."""


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
        return [p.name for p in self.pipelines if not p.request]

    @property
    def runners(self) -> list[str]:
        return sorted({e.runner for e in self.environments})

    @property
    def release_runner(self) -> str:
        """`runs-on` of the shared release jobs, in YAML: the only runner, or the caller's."""
        return scalar(self.runners[0]) if len(self.runners) == 1 else "${{ inputs.runner }}"

    @property
    def build_runners(self) -> list[str]:
        return sorted({pipeline.build_runner for pipeline in self.pipelines})

    @property
    def build_runner(self) -> str:
        """`runs-on` of the shared build job, in YAML: the only runner, or the caller's."""
        runners = self.build_runners
        return scalar(runners[0]) if len(runners) == 1 else "${{ inputs.runner }}"

    @property
    def runtime_secrets(self) -> list[str]:
        return sorted({name for e in self.environments for name in e.secrets})

    @property
    def migrates(self) -> bool:
        return any(s.spec.migrate for e in self.environments for s in e.deployed)

    @cached_property
    def minutes(self) -> dict[str, int]:
        """`timeout-minutes` of steps and jobs (`..._job`)."""
        return minutes([[s.spec for s in e.deployed] for e in self.environments])

    @property
    def release_steps(self) -> list[ReleaseStep]:
        """What the deploy job does once the release may proceed, with the login of each step."""
        titles = {"migrate": "Run the migrations", "deploy": "Apply the manifests"}
        commands = [c for c in titles if c != "migrate" or self.migrates]
        begins = sum(self.minutes[step] for step in BEFORE_RELEASE)
        made: list[ReleaseStep] = []
        for command in commands:
            step = self._step(command, titles[command], begins, made[-1].login if made else LOGIN)
            begins = (self.minutes["login"] if step.login_again else begins) + step.minutes
            made.append(step)
        return made

    @property
    def prune_step(self) -> ReleaseStep:
        """The last step of the monitor's job."""
        return self._step("prune", "", self.minutes["login"] + self.minutes["monitor"], LOGIN)

    def _step(self, command: str, title: str, begins: int, login: str) -> ReleaseStep:
        """A step that begins at most `begins` minutes after its last login."""
        again = self.oidc and begins > LOGIN_LIFETIME - self.minutes[command]
        login = f"{LOGIN}-{command}" if again else login
        return ReleaseStep(command, title, self.minutes[command], login, again)


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
    made = Plan(project, environments, tuple(pipelines))
    if made.base and made.base.built and not made.previews:
        name = names.PULL_REQUEST_WORKFLOW
        pipelines.append(Pipeline(name, made.base, made.base.services, checks_only=True))
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

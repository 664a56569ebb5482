"""The description of an environment, which the release program reads."""

from __future__ import annotations

import json
import math

from wfgen.generate.plan import PlannedEnvironment, PlannedService
from wfgen.release_program.contract import (
    Description,
    External,
    Health,
    Migrate,
    Revert,
    Service,
    Workload,
    to_json,
)
from wfgen.specs.kinds import service as specs
from wfgen.specs.kinds._database import DatabaseSpec


def describe(environment: PlannedEnvironment) -> Description:
    """What the release program needs to know of an environment."""
    project = environment.project.spec
    present = {service.name for service in environment.services}
    return Description(
        project=project.project,
        environment=environment.name,
        preview=environment.spec.preview,
        namespace=environment.namespace,
        overlay=environment.overlay,
        watch=(f"{environment.overlay}/", "specs/project.yaml"),
        url=environment.spec.url,
        approval=environment.spec.approves,
        platform=project.platform,
        default_branch=project.default_branch,
        label=environment.spec.label,
        time_to_live_hours=math.ceil(environment.spec.time_to_live / 3600),
        revert=Revert(auto_merge=project.revert.auto_merge),
        notify=(
            *(["slack"] if project.notify.slack_secret else []),
            *(["pagerduty"] if project.notify.pagerduty_secret else []),
        ),
        services={
            service.name: _describe_service(environment, service, present)
            for service in environment.services
        },
    )


def members(description: Description) -> str:
    """A description as the members of a JSON object, without its braces."""
    return json.dumps(to_json(description), indent=2, ensure_ascii=False)[2:-2]


def _describe_service(
    environment: PlannedEnvironment, service: PlannedService, present: set[str]
) -> Service:
    spec = service.spec
    external = spec.external.get(environment.name)
    inside = spec.deploy and external is None
    return Service(
        name=spec.name,
        image=spec.manifest_image,
        repository=service.repository,
        built=spec.build is not None,
        deploy=spec.deploy,
        watch=tuple(service.watch),
        manifests=tuple(service.manifests),
        depends_on=tuple(name for name in spec.depends_on if name in present),
        workloads=tuple(
            Workload(
                kind=workload.kind,
                name=workload.name or spec.name,
                container=workload.container or spec.name,
            )
            for workload in (spec.workloads if inside else [])
        ),
        health=None if external else _describe_health(spec),
        secrets=environment.secrets_of(service),
        secret_name=spec.secret_name or "",
        replicas=spec.replicas,
        autoscaled=spec.autoscaled,
        migrate=_describe_migrate(spec.migrate) if spec.migrate else None,
        external=_describe_external(spec, external) if external else None,
        allow_major=(spec.allow_major or 0) if isinstance(spec, DatabaseSpec) else None,
        rollback=spec.rollback,
        timeout_seconds=spec.rollout.timeout,
        bake_seconds=spec.rollout.bake,
    )


def _describe_migrate(migrate: specs.Migrate) -> Migrate:
    return Migrate(
        command=tuple(migrate.command),
        timeout_seconds=migrate.timeout,
        contracting=migrate.contracting,
    )


def _describe_external(spec: specs.ServiceSpec, external: specs.External) -> External:
    check = f'URL="${external.secret}"; export URL; {spec.check_command[external.tls]}'
    return External(
        secret=external.secret,
        image=spec.image.reference or spec.check_image,
        command=("sh", "-c", check),
    )


def _describe_health(spec: specs.ServiceSpec) -> Health | None:
    health = spec.health
    if not isinstance(health, specs.Health):
        return None
    if health.http is not None:
        return Health(type="http", path=health.http, port=health.port or spec.ports[0])
    if health.tcp is not None:
        return Health(type="tcp", port=health.tcp)
    if health.grpc is not None:
        return Health(type="grpc", port=health.grpc)
    return Health(type="exec", command=tuple(health.exec or ()))

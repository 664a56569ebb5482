"""What the release program must know of an environment: the description beside it, in JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from wfgen.generate.plan import PlannedEnvironment, PlannedService
from wfgen.specs.kinds._database import DatabaseSpec
from wfgen.specs.kinds.service import Health, ServiceSpec


def describe(environment: PlannedEnvironment) -> str:
    """What the release program must know of an environment, as the members of a JSON object."""
    project = environment.project.spec
    notify = [
        name
        for name, secret in (
            ("slack", project.notify.slack_secret),
            ("pagerduty", project.notify.pagerduty_secret),
        )
        if secret
    ]
    present = {s.name for s in environment.services}
    description = {
        "project": project.project,
        "environment": environment.name,
        "preview": environment.spec.preview,
        "namespace": environment.namespace,
        "overlay": environment.overlay,
        "watch": [f"{environment.overlay}/", "specs/project.yaml"],
        "url": environment.spec.url,
        "default_branch": project.default_branch,
        "label": environment.spec.label,
        "time_to_live_hours": math.ceil(environment.spec.time_to_live / 3600),
        "revert": {"auto_merge": project.revert.auto_merge},
        "notify": notify,
        "services": {
            s.name: _describe_service(environment, s, present) for s in environment.services
        },
    }
    return json.dumps(description, indent=2, ensure_ascii=False)[2:-2]


def _describe_service(
    environment: PlannedEnvironment, service: PlannedService, present: set[str]
) -> dict[str, Any]:
    spec = service.spec
    external = spec.external.get(environment.name)
    return {
        "image": spec.manifest_image,
        "repository": service.repository,
        "built": spec.build is not None,
        "deploy": spec.deploy,
        "watch": service.watch,
        "manifests": service.manifests,
        "depends_on": [name for name in spec.depends_on if name in present],
        "workloads": []
        if external or not spec.deploy
        else [
            {"kind": w.kind, "name": w.name or spec.name, "container": w.container or spec.name}
            for w in spec.workloads
        ],
        "health": None if external else _describe_health(spec),
        "secrets": environment.secrets_of(service),
        "replicas": spec.replicas,
        "autoscaled": spec.autoscaled,
        "migrate": spec.migrate
        and {
            "command": spec.migrate.command,
            "timeout_seconds": spec.migrate.timeout,
            "contracting": spec.migrate.contracting,
        },
        "external": external
        and {
            "secret": external.secret,
            "image": spec.image.reference or spec.check_image,
            "command": [
                "sh",
                "-c",
                f'URL="${external.secret}"; export URL; {spec.check_command[external.tls]}',
            ],
        },
        **({"allow_major": spec.allow_major or 0} if isinstance(spec, DatabaseSpec) else {}),
        "rollback": spec.rollback,
        "timeout_seconds": spec.rollout.timeout,
        "bake_seconds": spec.rollout.bake,
    }


def _describe_health(spec: ServiceSpec) -> dict[str, Any] | None:
    health = spec.health
    if not isinstance(health, Health):
        return None
    if health.http is not None:
        return {"type": "http", "path": health.http, "port": health.port or spec.ports[0]}
    if health.tcp is not None:
        return {"type": "tcp", "port": health.tcp}
    if health.grpc is not None:
        return {"type": "grpc", "port": health.grpc}
    return {"type": "exec", "command": health.exec}

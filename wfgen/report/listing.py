"""Lists of services, pipelines and generated files."""

from __future__ import annotations

import json
from typing import Any

from wfgen.generate.plan import Plan, plan
from wfgen.generate.render import RenderedFile, render
from wfgen.locks.pins import LOCK
from wfgen.report.table import table
from wfgen.specs.references import Project


def as_json(project: Project) -> str:
    """One object with `services`, `pipelines` and `files`."""
    planned = plan(project)
    files = [{"path": file.path, "specs": list(file.sources)} for file in render(planned)]
    lists = {"services": _services(planned), "pipelines": _pipelines(planned), "files": files}
    return json.dumps(lists, indent=2)


def as_text(project: Project) -> str:
    """Three tables."""
    planned = plan(project)
    services = [
        (service["name"], service["kind"], service["spec"], ", ".join(service["environments"]))
        for service in _services(planned)
    ]
    pipelines = [
        (pipeline["name"], pipeline["deploy_on"], ", ".join(pipeline["services"]))
        for pipeline in _pipelines(planned)
    ]
    files = [(file.path, _sources(file)) for file in render(planned)]
    return "\n".join(
        [
            "Services",
            *table(services),
            "\nPipelines",
            *table(pipelines),
            "\nGenerated files",
            *table(files),
        ]
    )


def _services(planned: Plan) -> list[dict[str, Any]]:
    return [
        {
            "name": service.spec.name,
            "kind": service.spec.kind,
            "spec": service.file.path,
            "depends_on": service.spec.depends_on,
            "environments": [
                environment.name
                for environment in planned.environments
                if service.spec.name in [placed.name for placed in environment.services]
            ],
        }
        for service in planned.project.services
    ]


def _pipelines(planned: Plan) -> list[dict[str, Any]]:
    return [
        {
            "name": pipeline.name,
            "environment": pipeline.environment.name,
            "deploy_on": "pull_request"
            if pipeline.request
            else pipeline.environment.spec.deploy_on,
            "services": [service.name for service in pipeline.services],
        }
        for pipeline in planned.pipelines
    ]


def _sources(file: RenderedFile) -> str:
    if file.path == LOCK:
        return "the lock: bots and `wfgen pins` change it"
    return ", ".join(file.sources) or "the same for every project"

"""The files of a plan: the path and the template of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wfgen.errors import WfgenError
from wfgen.generate.description import describe, members
from wfgen.generate.plan import Plan
from wfgen.generate.setup_page import SETUP_PAGE, SetupPage
from wfgen.release_program import commands, names
from wfgen.specs.references import Service


@dataclass(frozen=True)
class PlannedFile:
    """A file to render. `sources` are the specs that it is generated from."""

    path: str
    template: str
    context: dict[str, Any]
    sources: tuple[Service, ...]


def files(made: Plan) -> Iterator[PlannedFile]:
    """Every file of the plan, except the modules of the release program, which are copied."""
    workflows_and_actions = list(_workflows_and_actions(made))
    yield from workflows_and_actions
    page = SetupPage(made, tuple(file.path for file in workflows_and_actions))
    context = {"plan": made, "project": made.project.spec, "page": page}
    yield PlannedFile(SETUP_PAGE, "delivery-setup.md", context, made.project.services)


def _workflows_and_actions(made: Plan) -> Iterator[PlannedFile]:
    everything = made.project.services
    shared: dict[str, Any] = {"plan": made, "project": made.project.spec}

    def planned(
        path: str, template: str, sources: tuple[Service, ...] = everything, **context: Any
    ) -> PlannedFile:
        return PlannedFile(path, template, {**shared, **context}, sources)

    for pipeline in made.pipelines:
        template = "preview.yml" if pipeline.request else "pipeline.yml"
        yield planned(
            names.workflow(pipeline.name),
            template,
            tuple(s.service for s in pipeline.services),
            pipeline=pipeline,
            environment=pipeline.environment,
        )
    for environment in made.environments:
        if environment.spec.preview:
            path = names.cleanup_workflow(environment.name)
            yield planned(path, "preview-cleanup.yml", (), environment=environment)
        yield planned(
            names.description(environment.name),
            "release/description.json",
            tuple(s.service for s in environment.services),
            environment=environment,
            description=members(describe(environment)),
        )
    if any(e.built for e in made.environments):
        yield planned(names.BUILD_WORKFLOW, "_build.yml", ())
    yield planned(names.DEPLOY_WORKFLOW, "_deploy.yml")
    if made.lasting:
        yield planned(names.WATCHDOG_WORKFLOW, "watchdog.yml", ())
    yield planned(names.CHECK_WORKFLOW, "wfgen-check.yml", ())
    yield planned(names.action(names.CHECK_ACTION), "wfgen-check/action.yml", ())
    yield planned(names.action(names.CLUSTER_LOGIN_ACTION), "cluster-login.yml", ())
    action = names.action(names.RELEASE_ACTION)
    yield planned(action, "release/action.yml", (), outputs=commands.output_descriptions())


def check_paths(planned: list[PlannedFile]) -> None:
    """Raises `WfgenError` if two files have one path."""
    seen: set[str] = set()
    for file in planned:
        if file.path in seen:
            raise WfgenError(
                f"specs/project.yaml: two workflows would be {file.path}; "
                "give the environment or the service another name"
            )
        seen.add(file.path)

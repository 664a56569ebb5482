"""Workflows that wfgen did not generate, and that push or deploy what a spec describes.

A rollback restores what wfgen recorded, so it undoes what somebody else deployed meanwhile, and
no release uses an image that somebody else pushed. So each such step is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from wfgen.actions import WorkflowError, folder_reader
from wfgen.actions.reading import read_workflow
from wfgen.actions.workflow import Job, Step, Workflow
from wfgen.checks.other_deployers.commands import deployed_by
from wfgen.checks.other_deployers.images import pushed_by
from wfgen.checks.other_deployers.targets import Targets, targets_of
from wfgen.checks.other_deployers.texts import Texts
from wfgen.findings import Diagnostic, Position
from wfgen.generate.plan import Plan

RULE = "other-deployer"
HINT = (
    "remove the step, and let the generated pipelines build and release it: a rollback undoes this"
)


def find(plan: Plan, paths: Iterable[str]) -> list[Diagnostic]:
    """A warning for each step of these workflows that pushes or deploys what a spec describes.

    `paths` are relative to the root. A file that GitHub would not run is left out.
    """
    root, targets = plan.project.root, targets_of(plan)
    return [
        warning
        for path in paths
        if (workflow := _read(root, path)) is not None
        for warning in _of_workflow(workflow, targets, (root / path).read_text("utf-8"))
    ]


def _read(root: Path, path: str) -> Workflow | None:
    try:
        return read_workflow(path, folder_reader(root))
    except WorkflowError:
        return None


def _of_workflow(workflow: Workflow, targets: Targets, source: str) -> Iterator[Diagnostic]:
    lines = source.splitlines()
    for job in sorted(workflow.jobs.values(), key=lambda job: job.line):
        for step in job.steps:
            texts = Texts.of(workflow, job, step)
            for message in dict.fromkeys(_of_step(job, step, texts, targets)):
                line = lines[step.line - 1]
                column = len(line) - len(line.lstrip(" -")) + 1
                position = Position(workflow.path, step.line, column)
                yield Diagnostic(position, message, RULE, HINT, line, severity="warning")


def _of_step(job: Job, step: Step, texts: Texts, targets: Targets) -> Iterator[str]:
    for repository in pushed_by(job, step, texts, targets):
        spec = targets.repositories[repository]
        yield f"pushes image `{repository}` of `{spec}`, which the generated pipelines push"
    for deployed in deployed_by(step, texts, targets):
        yield f"deploys {deployed}, which the generated pipelines release"

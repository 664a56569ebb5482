"""From YAML to `Workflow`: syntax that GitHub accepts in several forms becomes one form.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

from collections.abc import Callable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from wfgen.actions.workflow import Concurrency, Environment, Job, Step, Workflow, WorkflowError
from wfgen.actions.yamltree import Located, YamlError, load, text

Read = Callable[[str], str]
"""The text of a file, by its path from the repository's root; `OSError` or `KeyError` if none."""
LOCAL = ("./", "$/")
"""How a reference to a file of the same repository begins."""


def folder_reader(root: Path) -> Read:
    """Reads files below a folder."""
    return lambda path: (root / path).read_text("utf-8")


def read_workflow(path: str, read: Read) -> Workflow:
    """Reads a workflow, and those that it calls by `./` or `$/`.

    Raises `WorkflowError` for a file that is not YAML or has no jobs, for `needs` that name an
    unknown job or form a cycle, and for a called workflow that is unreadable or not callable.
    """
    return _Reader(read).workflow(path)


class _Reader:
    """Reads workflows, each file once; `within` has the calling files, to detect a cycle."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.workflows: dict[str, Workflow] = {}
        self.within: list[str] = []

    def workflow(self, path: str) -> Workflow:
        """The workflow of a file. Raises `WorkflowError`."""
        if path not in self.workflows:
            self.workflows[path] = self._read(path)
        return self.workflows[path]

    def _read(self, path: str) -> Workflow:
        try:
            tree = load(self.read(path))
        except YamlError as error:
            raise WorkflowError(path, error.line, error.message) from error
        except (OSError, KeyError, UnicodeDecodeError) as error:
            raise WorkflowError(path, 1, "cannot be read") from error
        if not isinstance(tree, Located) or not isinstance(tree.get("jobs"), Located):
            raise WorkflowError(path, 1, "has no jobs")
        self.within.append(path)
        triggers = _triggers(tree.get("on"))
        call = triggers.get("workflow_call") or {}
        outputs = _mapping(call.get("outputs")).items()
        workflow = Workflow(
            path=path,
            name=text(tree.get("name")) or path,
            triggers=triggers,
            inputs=_mapping(call.get("inputs")),
            outputs={name: text(_mapping(output).get("value")) for name, output in outputs},
            permissions=_permissions(tree.get("permissions")),
            concurrency=_concurrency(tree.get("concurrency")),
            env=_mapping(tree.get("env")),
            jobs=self._jobs(path, tree["jobs"]),
        )
        self.within.pop()
        return workflow

    def _jobs(self, path: str, trees: Located) -> dict[str, Job]:
        jobs = {
            name: self._job(path, name, trees.lines[name], _mapping(trees[name])) for name in trees
        }
        for job in jobs.values():
            for need in job.needs:
                if need not in jobs:
                    raise WorkflowError(
                        path, job.line, f"{job.id} needs `{need}`, which does not exist"
                    )
        try:
            TopologicalSorter({job.id: job.needs for job in jobs.values()}).prepare()
        except CycleError as error:
            cycle = " needs ".join(reversed(error.args[1]))
            line = jobs[error.args[1][0]].line
            raise WorkflowError(path, line, f"a cycle: {cycle}") from error
        return _in_order(jobs)

    def _job(self, path: str, name: str, line: int, tree: Located) -> Job:
        strategy = _mapping(tree.get("strategy"))
        uses = text(tree.get("uses"))
        secrets = tree.get("secrets")
        return Job(
            id=name,
            name=text(tree.get("name")) or name,
            needs=tuple(map(text, _list(tree.get("needs")))),
            condition=text(tree.get("if")),
            uses=uses,
            called=self._called(path, line, uses),
            inputs=_mapping(tree.get("with")),
            secrets=secrets if isinstance(secrets, str) else _mapping(secrets),
            outputs={key: text(value) for key, value in _mapping(tree.get("outputs")).items()},
            steps=tuple(_steps(tree.get("steps"), line)),
            environment=_environment(tree.get("environment")),
            concurrency=_concurrency(tree.get("concurrency")),
            permissions=_permissions(tree.get("permissions")),
            matrix=strategy.get("matrix"),
            fail_fast=text(strategy.get("fail-fast", True)),
            max_parallel=text(strategy.get("max-parallel")),
            continue_on_error=text(tree.get("continue-on-error", False)),
            timeout_minutes=text(tree.get("timeout-minutes", 360)),
            runs_on=tree.get("runs-on"),
            env=_mapping(tree.get("env")),
            line=line,
        )

    def _called(self, path: str, line: int, uses: str) -> Workflow | None:
        if not uses.startswith(LOCAL):
            return None
        target = uses[2:]
        if target in self.within:
            raise WorkflowError(path, line, f"{target} calls itself")
        called = self.workflow(target)
        if "workflow_call" not in called.triggers:
            raise WorkflowError(path, line, f"{target} cannot be called: it lacks on.workflow_call")
        return called


def _in_order(jobs: dict[str, Job]) -> dict[str, Job]:
    """Each job after those that it needs; otherwise in the order of the file."""
    placed: dict[str, Job] = {}

    def place(job: Job) -> None:
        if job.id not in placed:
            for need in job.needs:
                place(jobs[need])
            placed[job.id] = job

    for job in jobs.values():
        place(job)
    return placed


def _steps(trees: Any, line: int) -> list[Step]:
    steps = []
    for tree in _list(trees):
        step = _mapping(tree)
        steps.append(
            Step(
                id=text(step.get("id")),
                name=text(step.get("name")),
                condition=text(step.get("if")),
                uses=text(step.get("uses")),
                run=text(step.get("run")),
                inputs=_mapping(step.get("with")),
                env=_mapping(step.get("env")),
                continue_on_error=text(step.get("continue-on-error", False)),
                line=min(step.lines.values(), default=line),
            )
        )
    return steps


def _triggers(value: Any) -> dict[str, Any]:
    """From an event's name, a list of names, or a mapping."""
    if isinstance(value, dict):
        return {name: settings or {} for name, settings in value.items()}
    return {text(name): {} for name in _list(value)}


def _environment(value: Any) -> Environment | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        return Environment(text(value))
    return Environment(text(value.get("name")), text(value.get("deployment", True)))


def _concurrency(value: Any) -> Concurrency | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        return Concurrency(text(value))
    return Concurrency(
        text(value.get("group")),
        text(value.get("cancel-in-progress", False)),
        text(value.get("queue")) or "single",
    )


def _permissions(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return {name: text(level) for name, level in value.items()}
    return {"*": text(value).removesuffix("-all")}


def _mapping(value: Any) -> Located:
    return value if isinstance(value, Located) else Located()


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

"""A workflow with the roles of its jobs, and the environment, locks and permissions of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from wfgen.actions.reading import Read, read_workflow
from wfgen.actions.workflow import Job, Workflow
from wfgen.checks.scenarios.roles import Action, actions, key_of
from wfgen.errors import WfgenError
from wfgen.release_program import names
from wfgen.release_program.contract import Description, from_json
from wfgen.release_program.failure import Failure

_INPUT = re.compile(r"\$\{\{ *inputs\.([\w-]+) *\}\}")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_UNLESS_PULL_REQUEST = re.compile(r"(?<=pull_request\.number) *\|\| *github\.run_id")
"""A group of a pull request, and of the run alone for other events, which release no preview."""
_OF_ONE_RUN = re.compile(
    r"github\.(run_id|run_number|run_attempt|sha|event\.after|event\.head_commit|actor)|"
    r"pull_request\.head\.sha"
)

_SECRET = re.compile(r"\bsecrets\.(?!GITHUB_TOKEN\b)(\w+)")
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_OUTPUT = re.compile(r"\boutputs\.([\w-]+)")
_OF_THE_EVENT = re.compile(r"\b(?:github|inputs)(?:\.[\w*-]+)+")
_RESULTS = ("success", "failure", "cancelled", "skipped")
ALIKE = 2
"""Builds that are tried of those that all jobs read alike; more would show nothing new."""


@dataclass(frozen=True)
class HeldLock:
    """A concurrency group that a job is in."""

    holder: str
    """Where it is set: a job's path; "" for the workflow; "release/" for what `release` calls."""
    group: str
    """Its name as written, with the inputs of a called workflow filled in."""
    cancels: bool
    """Whether a newer run cancels the older one, or might: by an expression other than `false`."""
    queues: bool
    """Whether all runs wait; otherwise a newer run drops the one that waits."""

    @property
    def name(self) -> str:
        """The name with a star for each expression: `release-staging-*`."""
        return _EXPRESSION.sub("*", self.group)

    @property
    def is_shared(self) -> bool:
        """Whether two runs can be in it; not where it is named by the run or its commit."""
        return not _OF_ONE_RUN.search(_UNLESS_PULL_REQUEST.sub("", self.group))


@dataclass(frozen=True)
class Place:
    """A job with what its callers and its workflow add."""

    path: str
    job: Job
    callers: tuple[Job, ...]
    """The jobs that call the workflow that it is in, outermost first."""
    environment: str
    """With the inputs of a called workflow filled in; "" for none."""
    locks: tuple[HeldLock, ...]
    permissions: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A workflow file as scenarios and properties see it."""

    workflow: Workflow
    actions: tuple[Action, ...]
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The description of each environment; none where wfgen did not generate the workflow."""

    @property
    def name(self) -> str:
        """The file's name without its extension."""
        return PurePosixPath(self.workflow.path).stem

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Every job by its path."""
        return {place.path: place for place in _places(self.workflow)}

    @cached_property
    def at(self) -> Mapping[str, tuple[Action, ...]]:
        """The actions of each job by its path."""
        actions: dict[str, tuple[Action, ...]] = dict.fromkeys(self.places, ())
        for action in self.actions:
            actions[action.job] += (action,)
        return actions

    def of(self, *roles: str) -> tuple[Action, ...]:
        """The actions with one of these roles."""
        return tuple(action for action in self.actions if action.role in roles)

    def environment(self, action: Action) -> str:
        """Where an action acts: its job's environment, or the one that its step names."""
        place = self.places[action.job]
        for index, step in enumerate(place.job.steps):
            named = str(step.inputs.get("environment", ""))
            if action.step and key_of(place.job, index) == action.step and named:
                return fill(named, place.callers)
        return place.environment

    @cached_property
    def description(self) -> Description | None:
        """The description of the workflow's environment, where wfgen generated it.

        Raises `WfgenError` for one that the release program would refuse.
        """
        for environment, values in self.known.items():
            try:
                return from_json(Description, values)
            except Failure as failure:
                raise WfgenError(f"{names.description(environment)}: {failure}") from failure
        return None

    @property
    def has_queues(self) -> bool:
        """Whether GitHub knows `queue: max`, which keeps all runs that wait for a lock."""
        return all(values.get("platform") != "ghes" for values in self.known.values())

    @cached_property
    def judging(self) -> tuple[str, ...]:
        """The jobs that a verdict on the whole run must see: all except those that report it."""
        reporting = {action.job for action in self.of("verdict", "gate", "notify", "comment")}
        return tuple(name for name in self.workflow.jobs if name not in reporting)

    @cached_property
    def has_app(self) -> bool:
        """Whether a step that reverts gets the token of a GitHub App."""
        return any(
            names.Variable.APP_TOKEN in step.env
            for action in self.of("revert")
            for step in self.places[action.job].job.steps
        )

    @cached_property
    def last(self) -> frozenset[str]:
        """Jobs that no other job needs."""
        needed = {name for job in self.workflow.jobs.values() for name in job.needs}
        return frozenset(set(self.workflow.jobs) - needed)

    @cached_property
    def secrets(self) -> Mapping[str, tuple[str, tuple[str, ...]]]:
        """By job: a secret that the whole job is passed, and one that each step is; or ""."""
        return {
            path: (
                "all secrets"
                if place.job.secrets == "inherit"
                else _secret(place.job.secrets, place.job.env, place.job.inputs),
                tuple(_secret(step.inputs, step.env, step.run) for step in place.job.steps),
            )
            for path, place in self.places.items()
        }

    @cached_property
    def reads(self) -> frozenset[str]:
        """What conditions read of the event: `github.event_name`, `inputs.force`.

        This includes values that are passed to a called workflow and read by a condition there.
        """
        texts: list[str] = []
        for place in self.places.values():
            texts += _conditions(place.job)
            if place.job.called:
                inside = " ".join(
                    text for _, job in place.job.called.walk() for text in _conditions(job)
                )
                texts += [
                    str(value)
                    for name, value in place.job.inputs.items()
                    if f"inputs.{name}" in inside
                ]
        return frozenset(name for text in texts for name in _OF_THE_EVENT.findall(text))

    @cached_property
    def literals(self) -> Mapping[str, tuple[str, ...]]:
        """The literals in conditions that read an output of a job, by the output's name."""
        literals: dict[str, dict[str, None]] = {}
        for _, job in self.workflow.walk():
            for text in (job.condition, *(step.condition for step in job.steps)):
                named = dict.fromkeys(literal for literal in _LITERAL.findall(text) if literal)
                for output in _OUTPUT.findall(text):
                    literals.setdefault(output, {}).update(named)
        return {name: tuple(v for v in values if v not in _RESULTS)
                for name, values in literals.items()}  # fmt: skip

    @cached_property
    def varied(self) -> frozenset[str]:
        """Services whose builds are tried: `ALIKE` of those that all jobs read alike."""
        alike: dict[object, dict[str, None]] = {}
        for action in self.of("build"):
            for service in action.services[:1]:
                alike.setdefault(self._reading(action, service), {})[service] = None
        return frozenset(name for services in alike.values() for name in [*services][:ALIKE])

    def _reading(self, action: Action, service: str) -> object:
        """Which jobs read a build's job, and how, apart from the service's name."""
        top = action.job.partition("/")[0]
        job = self.workflow.jobs[top]
        jobs = self.workflow.jobs.values()
        readers = tuple(reader.id for reader in jobs if top in reader.needs)
        named = tuple(
            reader.condition.replace(top, "*") for reader in jobs if f".{top}." in reader.condition
        )
        own = job.condition.replace(service, "*"), job.uses, job.continue_on_error, job.needs
        group = job.concurrency and job.concurrency.cancel_in_progress
        return own, readers, named, group, tuple(sorted((job.permissions or {}).items()))


def read_pipeline(path: str, read: Read) -> Pipeline:
    """Reads a workflow, what it calls, and the descriptions of its environments.

    Raises `WorkflowError` for a file that is not a workflow, `WfgenError` for a role comment that
    is not valid.
    """
    workflow = read_workflow(path, read)
    bare = Pipeline(workflow, actions(workflow, read))
    environments = {bare.environment(action) for action in bare.actions if action.given}
    known = {}
    for name in sorted(environments):
        if re.fullmatch(r"[\w-]+", name):
            try:
                text = read(names.description(name))
            except (OSError, KeyError):
                continue
            known[name] = json.loads(text)
    return Pipeline(workflow, bare.actions, known)


def fill(text: str, callers: tuple[Job, ...]) -> str:
    """A text in which inputs that the calling jobs pass as plain values are filled in."""

    def value(match: re.Match[str]) -> str:
        given: Any = callers[-1].inputs.get(match[1])
        if given is None:
            return match[0]
        text = str(given).lower() if isinstance(given, bool) else str(given)
        return fill(text, callers[:-1])

    return _INPUT.sub(value, text) if callers else text


def _places(
    workflow: Workflow,
    prefix: str = "",
    callers: tuple[Job, ...] = (),
    outer_locks: tuple[HeldLock, ...] = (),
    permissions: Mapping[str, str] | None = None,
) -> Iterator[Place]:
    outer_locks += tuple(_locks(workflow, prefix, callers))
    for job in workflow.jobs.values():
        path = prefix + job.id
        locks = (*outer_locks, *_locks(job, path, callers))
        environment = fill(job.environment.name, callers) if job.environment else ""
        declared = (job.permissions, workflow.permissions, permissions)
        granted = next((nearest for nearest in declared if nearest is not None), {"*": "default"})
        yield Place(path, job, callers, environment, locks, granted)
        if job.called:
            yield from _places(job.called, f"{path}/", (*callers, job), locks, granted)


def _conditions(job: Job) -> list[str]:
    matrix = str(job.matrix) if job.matrix else ""
    return [job.condition, matrix, *(step.condition for step in job.steps)]


def _secret(*texts: Any) -> str:
    match = _SECRET.search(str(texts))
    return f"secret {match[1]}" if match else ""


def _locks(level: Workflow | Job, holder: str, callers: tuple[Job, ...]) -> Iterator[HeldLock]:
    if concurrency := level.concurrency:
        cancels = concurrency.cancel_in_progress.strip() not in ("false", "${{ false }}", "")
        group = fill(concurrency.group, callers)
        yield HeldLock(holder, group, cancels, concurrency.queue == "max")

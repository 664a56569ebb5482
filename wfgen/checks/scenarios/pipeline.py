"""A workflow with what its jobs are for, and where each of them stands: environment and locks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from wfgen.actions.workflow import Job, Read, Workflow, read_workflow
from wfgen.checks.scenarios.roles import Action, actions, key_of
from wfgen.errors import WfgenError
from wfgen.release_program import names

if TYPE_CHECKING:
    from wfgen.release_program.contract import Description

_INPUT = re.compile(r"\$\{\{ *inputs\.([\w-]+) *\}\}")
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
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
"""So many builds are tried of those that are read alike: more would show nothing else."""


@dataclass(frozen=True)
class Held:
    """A concurrency group that a job is in."""

    holder: str
    """Who says it: a job's path, "" the workflow, "release/" the workflow that `release` calls."""
    group: str
    """Its name as written, with the inputs of a called workflow filled in."""
    cancels: bool
    """Whether a newer run cancels the older one. An expression that is not `false` may."""
    queues: bool
    """Whether all wait; else a newer run drops the one that waits."""

    @property
    def name(self) -> str:
        """The name with a star for each expression: `release-staging-*`."""
        return _EXPRESSION.sub("*", self.group)

    @property
    def locks(self) -> bool:
        """Whether two runs can meet in it; not where it is named by the run or its commit."""
        return not _OF_ONE_RUN.search(self.group)


@dataclass(frozen=True)
class Place:
    """Where a job stands."""

    path: str
    job: Job
    callers: tuple[Job, ...]
    """The jobs that call the workflow that it is in, from the outside."""
    environment: str
    """With the inputs of a called workflow filled in; "" for none."""
    held: tuple[Held, ...]
    permissions: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A workflow file as scenarios and properties look at it."""

    workflow: Workflow
    actions: tuple[Action, ...]
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What wfgen wrote down of each environment; none for a workflow of another make."""

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return PurePosixPath(self.workflow.path).stem

    @cached_property
    def places(self) -> Mapping[str, Place]:
        """Every job by its path."""
        return {place.path: place for place in _places(self.workflow)}

    @cached_property
    def at(self) -> Mapping[str, tuple[Action, ...]]:
        """The actions of each job by its path."""
        found: dict[str, tuple[Action, ...]] = dict.fromkeys(self.places, ())
        for action in self.actions:
            found[action.job] += (action,)
        return found

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
        """The environment that the workflow is about, where it is one of wfgen's."""
        from wfgen.release_program.contract import Description, from_json
        from wfgen.release_program.failure import Failure

        for environment, values in self.known.items():
            try:
                return from_json(Description, values)
            except Failure as failure:
                raise WfgenError(f"{names.description(environment)}: {failure}") from failure
        return None

    @cached_property
    def judging(self) -> tuple[str, ...]:
        """The jobs that a verdict on the whole run has to know: all but those that tell it."""
        telling = {action.job for action in self.of("verdict", "gate", "notify", "comment")}
        return tuple(name for name in self.workflow.jobs if name not in telling)

    @cached_property
    def last(self) -> frozenset[str]:
        """Jobs that no other job needs."""
        needed = {name for job in self.workflow.jobs.values() for name in job.needs}
        return frozenset(set(self.workflow.jobs) - needed)

    @cached_property
    def secrets(self) -> Mapping[str, tuple[str, tuple[str, ...]]]:
        """Of each job, a secret that it as a whole is given, and one that each step is; or ""."""
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

        Also by way of what is passed to a called workflow whose conditions read it.
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
        """The texts that conditions name beside each output of a job, by the output's name."""
        found: dict[str, dict[str, None]] = {}
        for _, job in self.workflow.walk():
            for text in (job.condition, *(step.condition for step in job.steps)):
                named = dict.fromkeys(each for each in _LITERAL.findall(text) if each)
                for output in _OUTPUT.findall(text):
                    found.setdefault(output, {}).update(named)
        return {name: tuple(v for v in values if v not in _RESULTS)
                for name, values in found.items()}  # fmt: skip

    @cached_property
    def varied(self) -> frozenset[str]:
        """Services whose builds are tried: of those that all jobs read alike, only a few."""
        alike: dict[object, list[str]] = {}
        for action in self.of("build"):
            for service in action.services[:1]:
                alike.setdefault(self._reading(action, service), []).append(service)
        return frozenset(name for services in alike.values() for name in services[:ALIKE])

    def _reading(self, action: Action, service: str) -> object:
        """Who reads a build's job, and how, but for the service's name."""
        top = action.job.partition("/")[0]
        job = self.workflow.jobs[top]
        readers = tuple(each.id for each in self.workflow.jobs.values() if top in each.needs)
        named = tuple(each.condition.replace(top, "*") for each in self.workflow.jobs.values()
                      if f".{top}." in each.condition)  # fmt: skip
        own = job.condition.replace(service, "*"), job.uses, job.continue_on_error, job.needs
        group = job.concurrency and job.concurrency.cancel_in_progress
        return own, readers, named, group, tuple(sorted((job.permissions or {}).items()))


def read_pipeline(path: str, read: Read) -> Pipeline:
    """Reads a workflow, what it calls, and what wfgen wrote down of its environments.

    Raises `WorkflowError` for a file that is no workflow, `WfgenError` for a wrong comment in it.
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
    """A text with the inputs that the calling jobs pass, as far as they are plain values."""

    def value(found: re.Match[str]) -> str:
        given: Any = callers[-1].inputs.get(found[1])
        if given is None:
            return found[0]
        text = str(given).lower() if isinstance(given, bool) else str(given)
        return fill(text, callers[:-1])

    return _INPUT.sub(value, text) if callers else text


def _places(
    workflow: Workflow,
    prefix: str = "",
    callers: tuple[Job, ...] = (),
    held: tuple[Held, ...] = (),
    permissions: Mapping[str, str] | None = None,
) -> Iterator[Place]:
    held += tuple(_held(workflow, prefix, callers))
    for job in workflow.jobs.values():
        path = prefix + job.id
        mine = (*held, *_held(job, path, callers))
        environment = fill(job.environment.name, callers) if job.environment else ""
        first = (job.permissions, workflow.permissions, permissions)
        may = next((each for each in first if each is not None), {"*": "default"})
        yield Place(path, job, callers, environment, mine, may)
        if job.called:
            yield from _places(job.called, f"{path}/", (*callers, job), mine, may)


def _conditions(job: Job) -> list[str]:
    matrix = str(job.matrix) if job.matrix else ""
    return [job.condition, matrix, *(step.condition for step in job.steps)]


def _secret(*texts: Any) -> str:
    found = _SECRET.search(str(texts))
    return f"secret {found[1]}" if found else ""


def _held(thing: Workflow | Job, holder: str, callers: tuple[Job, ...]) -> Iterator[Held]:
    if says := thing.concurrency:
        cancels = says.cancel_in_progress.strip() not in ("false", "${{ false }}", "")
        yield Held(holder, fill(says.group, callers), cancels, says.queue == "max")

"""The roles of jobs and steps: which one deploys, monitors, rolls back.

In a generated workflow the role is the release program's command. In any other workflow it is in a
comment, at the end of a line of the step, or of the job's first line, or on the line above:

    deploy: # wfgen: deploy
    - run: kubectl rollout status deployment/client # wfgen: monitor client

A role may be followed by the names of its services; without any it applies to all services. At a
job it applies to the whole job.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from wfgen.actions.reading import Read
from wfgen.actions.workflow import Job, Step, Workflow
from wfgen.errors import WfgenError
from wfgen.findings import did_you_mean, one_of
from wfgen.release_program import names

ROLES: Mapping[str, str] = {
    "plan": "decides what is released",
    "build": "builds and pushes an image",
    "approval": "waits for an approval",
    "approve": "reports who approved the release",
    "preflight": "decides what is released, and opens the release's record",
    "migrate": "changes a database's schema",
    "deploy": "changes what the cluster runs",
    "monitor": "verifies the release",
    "rollback": "restores the last known good release",
    "prune": "removes what no release uses",
    "audit": "records how the release ended",
    "revert": "reverts the change in the branch",
    "notify": "notifies people",
    "verdict": "fails unless the release was verified",
    "gate": "is the required check of a pull request",
    "comment": "comments on the pull request",
    "namespace": "creates a preview's namespace",
    "teardown": "deletes a preview",
    "previews": "lists the previews",
    "closed": "lists previews of closed pull requests",
    "inspect": "looks for a release whose run was lost",
    "restore": "restores an environment after a run was lost",
}
"""Each role and what it does; all except `build` and `approval` are release program commands."""

IN_THE_CLUSTER = frozenset(
    ("preflight", "namespace", "migrate", "deploy", "monitor", "rollback", "prune", "teardown",
     "previews", "inspect", "restore")
)  # fmt: skip
"""Roles that need access to a cluster."""
LOCKED = IN_THE_CLUSTER - {"previews", "inspect"}
"""Roles that hold the environment's lock: all except those that only read."""


_BUILDER = "docker/build-push-action@"
_NOTE = re.compile(r"^(?P<before>.*?)# wfgen: *(?P<role>[\w-]+) *(?P<names>[\w.,\s-]*)$")


Note = tuple[str, tuple[str, ...]]
"""A role, and the names of its services."""


@dataclass(frozen=True)
class Action:
    """A step, or a whole job, with a role."""

    role: str
    job: str
    """The job's path."""
    step: str
    """The step's id, or its position from 0; "" where the job as a whole has the role."""
    services: tuple[str, ...] = ()
    """Its services; () for all."""
    given: bool = False
    """Whether the release program runs it: its endings are known."""


def key_of(job: Job, index: int) -> str:
    """A step's key in outcomes: its id, or its position from 0."""
    return job.steps[index].id or str(index)


def index_of(job: Job, key: str) -> int:
    """The position of the step with this key."""
    return next(i for i in range(len(job.steps)) if key_of(job, i) == key)


def actions(workflow: Workflow, read: Read) -> tuple[Action, ...]:
    """Every action of a workflow and of those that it calls, in order.

    Raises `WfgenError` for a comment with an unknown role, or not at a job or step.
    """
    all_actions: list[Action] = []
    notes: dict[str, dict[int, Note]] = {}
    for path, job, file in _walk(workflow):
        if file.path not in notes:
            notes[file.path] = _notes(file, read(file.path))
        noted = notes[file.path]
        if note := noted.get(job.line):
            all_actions.append(Action(note[0], path, "", note[1]))
        elif job.environment and job.environment.name.endswith("-approval"):
            all_actions.append(Action("approval", path, ""))
        for index, step in enumerate(job.steps):
            key = key_of(job, index)
            if note := noted.get(step.line):
                all_actions.append(Action(note[0], path, key, note[1]))
            elif role := _role(step):
                all_actions.append(Action(role, path, key, _services(role, path, step), given=True))
    return tuple(all_actions)


def _walk(workflow: Workflow, prefix: str = "") -> Iterator[tuple[str, Job, Workflow]]:
    for job in workflow.jobs.values():
        yield prefix + job.id, job, workflow
        if job.called:
            yield from _walk(job.called, f"{prefix}{job.id}/")


def _role(step: Step) -> str:
    """The release program's command in a step, or "build"; "" for neither."""
    if names.local_path(step.uses) == names.RELEASE_ACTION:
        command = str(step.inputs.get("command", ""))
        return command if command in ROLES else ""
    return "build" if step.uses.startswith(_BUILDER) else ""


def _services(role: str, path: str, step: Step) -> tuple[str, ...]:
    if role == "build":
        job = PurePosixPath(path).parts[0]
        return (names.built_service(job) or job,)
    listed = str(step.env.get("WFGEN_SERVICES", ""))
    return tuple(re.findall(r"[\w-]+", listed)) if role == "plan" and "$" not in listed else ()


def _notes(workflow: Workflow, text: str) -> dict[int, Note]:
    """The roles in comments, by the line where the job or step begins.

    A comment applies to the job or step in whose lines it is; on a separate line, to the next one.
    """
    if "# wfgen:" not in text:
        return {}
    file = workflow.path
    begins = sorted(
        {
            line
            for job in workflow.jobs.values()
            for line in (job.line, *(s.line for s in job.steps))
        }
    )
    notes: dict[int, Note] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not (match := _NOTE.match(line)):
            continue
        role = match["role"]
        if role not in ROLES:
            hint = did_you_mean(role, ROLES, f"expected {one_of(ROLES)}")
            raise WfgenError(f"{file}:{number}: unknown role `{role}`; {hint}")
        if match["before"].strip():
            lines = [begin for begin in reversed(begins) if begin <= number]
        else:
            lines = [begin for begin in begins if begin > number]
        if not lines:
            raise WfgenError(f"{file}:{number}: `# wfgen: {role}` is not at a job or step")
        notes[lines[0]] = role, tuple(re.findall(r"[\w.-]+", match["names"]))
    return notes

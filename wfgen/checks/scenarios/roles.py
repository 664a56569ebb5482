"""What the jobs of a workflow are for: which step deploys, watches, rolls back.

In a generated workflow the release program's command tells. In any other, a comment does, at the
end of a line of the step, or of the job's first line, or on the line above:

    deploy: # wfgen: deploy
    - run: kubectl rollout status deployment/client # wfgen: monitor client

A role may be followed by the names of the services that it is about; without any it is about all.
On a job it stands for the job as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from wfgen.actions.reading import Read
from wfgen.actions.workflow import Job, Step, Workflow
from wfgen.errors import WfgenError
from wfgen.findings import did_you_mean
from wfgen.release_program import names

ROLES: Mapping[str, str] = {
    "plan": "says what is to be released",
    "build": "builds and pushes an image",
    "images": "collects the images of a release",
    "approval": "waits for a person",
    "preflight": "opens the release's record",
    "migrate": "changes a database's schema",
    "deploy": "changes what the cluster runs",
    "monitor": "says whether the release is good",
    "rollback": "restores the release before",
    "prune": "removes what no release uses",
    "audit": "records how the release ended",
    "revert": "takes the change out of the branch",
    "notify": "tells people",
    "verdict": "fails unless the release is good",
    "gate": "is the required check of a pull request",
    "comment": "writes into the pull request",
    "namespace": "makes a preview's namespace",
    "teardown": "deletes a preview",
    "previews": "lists the previews",
    "closed": "says which previews are left over",
    "watchdog": "restores after a run that is gone",
}
"""Each role and what it does; but for three they are the release program's commands."""

IN_THE_CLUSTER = frozenset(
    ("preflight", "namespace", "migrate", "deploy", "monitor", "rollback", "prune", "teardown",
     "previews", "watchdog")
)  # fmt: skip
"""Roles that need a cluster."""
LOCKED = IN_THE_CLUSTER - {"previews"}
"""Roles that no other run of the environment may come between: all but those that only read."""

_BUILDER = "docker/build-push-action@"
_NOTE = re.compile(r"^(?P<before>.*?)# wfgen: *(?P<role>[\w-]+) *(?P<names>[\w.,\s-]*)$")


Note = tuple[str, tuple[str, ...]]
"""A role, and the services that it is about."""


@dataclass(frozen=True)
class Action:
    """A step, or a whole job, with a role."""

    role: str
    job: str
    """The job's path."""
    step: str
    """The step's id, or its position from 0; "" where the job as a whole has the role."""
    services: tuple[str, ...] = ()
    """What it is about; () for all."""
    given: bool = False
    """Whether it is the release program, of which is known what it says."""


def key_of(job: Job, index: int) -> str:
    """How outcomes name a step."""
    return job.steps[index].id or str(index)


def index_of(job: Job, key: str) -> int:
    """The position of the step with this key."""
    return next(i for i in range(len(job.steps)) if key_of(job, i) == key)


def actions(workflow: Workflow, read: Read) -> tuple[Action, ...]:
    """Every action of a workflow and of those that it calls, in their order.

    Raises `WfgenError` for a comment that names no role, or stands at no job or step.
    """
    found: list[Action] = []
    notes: dict[str, dict[int, Note]] = {}
    for path, job, file in _walk(workflow):
        if file.path not in notes:
            notes[file.path] = _notes(file, read(file.path))
        noted = notes[file.path]
        if note := noted.get(job.line):
            found.append(Action(note[0], path, "", note[1]))
        elif job.environment and job.environment.name.endswith("-approval"):
            found.append(Action("approval", path, ""))
        for index, step in enumerate(job.steps):
            key = key_of(job, index)
            if note := noted.get(step.line):
                found.append(Action(note[0], path, key, note[1]))
            elif role := _role(step):
                found.append(Action(role, path, key, _services(role, path, step), given=True))
    return tuple(found)


def _walk(workflow: Workflow, prefix: str = "") -> Iterator[tuple[str, Job, Workflow]]:
    for job in workflow.jobs.values():
        yield prefix + job.id, job, workflow
        if job.called:
            yield from _walk(job.called, f"{prefix}{job.id}/")


def _role(step: Step) -> str:
    """What the release program does in a step, or "build"; "" for neither."""
    if names.local_path(step.uses) == names.RELEASE_ACTION:
        command = str(step.inputs.get("command", ""))
        return command if command in ROLES else ""
    return "build" if step.uses.startswith(_BUILDER) else ""


def _services(role: str, path: str, step: Step) -> tuple[str, ...]:
    if role == "build":
        job = PurePosixPath(path).parts[0]
        return (names.built_service(job) or job,)
    asked = str(step.env.get("WFGEN_SERVICES", ""))
    return tuple(re.findall(r"[\w-]+", asked)) if role == "plan" and "$" not in asked else ()


def _notes(workflow: Workflow, text: str) -> dict[int, Note]:
    """The roles that comments give, by the line where the job or step begins.

    A comment speaks of the job or step in whose lines it stands; a line of its own, of the next.
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
    found: dict[int, Note] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not (said := _NOTE.match(line)):
            continue
        role = said["role"]
        if role not in ROLES:
            hint = did_you_mean(role, ROLES, f"known: {', '.join(ROLES)}")
            raise WfgenError(f"{file}:{number}: no role {role}; {hint}")
        own = not said["before"].strip()
        places = [at for at in begins if at > number] if own else [
            at for at in reversed(begins) if at <= number
        ]  # fmt: skip
        if not places:
            raise WfgenError(f"{file}:{number}: `# wfgen: {role}` is at no job and no step")
        found[places[0]] = role, tuple(re.findall(r"[\w.-]+", said["names"]))
    return found

"""A job that changes a cluster holds the lock of its environment, and no newer run cancels it.

Two releases at once undo each other. The lock is a concurrency group that all of them share,
`release-<environment>`, with `queue: max`: where a member has the default, GitHub drops all waiting
runs of the group except one, and where `cancel-in-progress` is set, it stops a run at any point
(https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency).
A called workflow must not take the lock again: its caller holds it, and would wait for itself.

Keep the generated `concurrency` of the job and of the workflow.
"""

from collections.abc import Iterator

from wfgen.checks.safety._patched import (  # fmt: skip
    PatchedFile,
    Tree,
    commands,
    mapping,
    reaches_cluster,
    releases,
    steps_of,
)
from wfgen.release_program import names

READING = {"previews", "closed", "inspect"}
"""Commands of the release program that do not change the cluster."""


def check(file: PatchedFile) -> Iterator[str]:
    """Checks the jobs that log in to a cluster, and their workflow."""
    environments = {name: env for name, job in file.jobs.items() if (env := _environment(job))}
    if not environments:
        return
    called = "workflow_call" in file.triggers
    whole = file.tree.get("concurrency")
    if whole is not None and called:
        yield "the called workflow has a `concurrency`, and would wait for its caller"
    elif whole is not None:
        if _cancels(whole):
            yield "a newer run of the workflow may cancel one that is changing a cluster"
        if "github.run_id" not in str(mapping(whole).get("group", whole)):
            yield "a newer run of the workflow replaces one that waits"
    for name, environment in environments.items():
        own = file.jobs[name].get("concurrency")
        if called:
            if own is not None:
                yield f"job {name} of the called workflow has a `concurrency`"
            continue
        group = str(mapping(own).get("group", own))
        expected = names.lock(environment)
        if group != expected and not group.startswith(f"{expected}-${{{{ "):
            yield f"job {name} changes the cluster of {environment} without the lock {expected}"
        elif _cancels(own):
            yield f"job {name} changes a cluster, and a newer run may cancel it"
        elif mapping(own).get("queue") != "max":
            yield f"job {name} lacks `queue: max`: GitHub drops releases that wait"


def _environment(job: Tree) -> str:
    """The environment whose cluster a job changes; "" where it changes none."""
    if releases(job):
        return str(mapping(job.get("with")).get("environment", "?"))
    job_commands = commands(job)
    for step in steps_of(job):
        if reaches_cluster(step) and not (job_commands and job_commands <= READING):
            return str(mapping(step.get("with")).get("environment", "?"))
    return ""


def _cancels(concurrency: object) -> bool:
    return str(mapping(concurrency).get("cancel-in-progress", "false")) != "false"

"""What changes a cluster holds the lock of its environment, and no newer run cancels it.

Two releases at once undo one another. The lock is a concurrency group that all of them share,
`release-<environment>`, with `queue: max`: GitHub drops all waiting runs but one of a group
where a member has the default, and stops a run in the middle where `cancel-in-progress` is set
(https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency).
A called workflow has no lock of its own: its caller's group is the same one, and would wait for
itself.

Keep the `concurrency` of the job, and of the workflow, as it is generated.
"""

from collections.abc import Iterator

from wfgen.checks.safety._checked import (  # fmt: skip
    Checked,
    Tree,
    commands,
    mapping,
    reaches_cluster,
    releases,
    steps_of,
)
from wfgen.release_program import names

READING = {"previews", "closed"}
"""Commands of the release program that change nothing."""


def check(checked: Checked) -> Iterator[str]:
    """Looks at the jobs that log in to a cluster, and at the workflow that has them."""
    found = {name: env for name, job in checked.jobs.items() if (env := _environment(job))}
    if not found:
        return
    called = "workflow_call" in checked.triggers
    whole = checked.tree.get("concurrency")
    if whole is not None and called:
        yield "a called workflow has a lock of its own, and would wait for its caller"
    elif whole is not None:
        if _cancels(whole):
            yield "a newer run of the workflow may cancel one that is at a cluster"
        if "github.run_id" not in str(mapping(whole).get("group", whole)):
            yield "runs of the workflow replace one another while they wait"
    for name, environment in found.items():
        own = checked.jobs[name].get("concurrency")
        if called:
            if own is not None:
                yield f"job {name} is called, and has a lock of its own"
            continue
        group = str(mapping(own).get("group", own))
        expected = names.lock(environment)
        if group != expected and not group.startswith(f"{expected}-${{{{ "):
            yield f"job {name} is at the cluster of {environment} without the lock {expected}"
        elif _cancels(own):
            yield f"job {name} is at a cluster, and a newer run may cancel it"
        elif mapping(own).get("queue") != "max":
            yield f"job {name} has no `queue: max`, and drops releases that wait"


def _environment(job: Tree) -> str:
    """The environment whose cluster a job changes; "" where it changes none."""
    if releases(job):
        return str(mapping(job.get("with")).get("environment", "?"))
    does = commands(job)
    for step in steps_of(job):
        if reaches_cluster(step) and not (does and does <= READING):
            return str(mapping(step.get("with")).get("environment", "?"))
    return ""


def _cancels(concurrency: object) -> bool:
    return str(mapping(concurrency).get("cancel-in-progress", "false")) != "false"

"""A rollback runs whatever happened before it, and does not wait for an approval.

A job without a status function is skipped when a job that it needs failed or was cancelled, and
`failure()` is false where a job timed out
(https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions).
An environment with required reviewers would hold the rollback until one of them approves.

Keep `always()` in the `if` of the job and of each step that logs in or rolls back, its `needs`,
and its environment.
"""

from collections.abc import Iterator

from wfgen.checks.safety._patched import (  # fmt: skip
    PatchedFile,
    Tree,
    command,
    commands,
    mapping,
    reaches_cluster,
    steps_of,
)


def check(file: PatchedFile) -> Iterator[str]:
    """Checks the jobs that deploy, and those that roll back."""
    jobs = file.jobs
    deploying = [name for name, job in jobs.items() if commands(job) & {"deploy", "monitor"}]
    rolling = {name: job for name, job in jobs.items() if "rollback" in commands(job)}
    for name in deploying:
        if not any(name in needs(job) for job in rolling.values()):
            yield f"no rollback needs job {name}"
    for name, job in rolling.items():
        if not _always(job):
            yield f"job {name} rolls back without `always()` in its `if`"
        environment = job.get("environment")
        if str(mapping(environment).get("name", environment)).endswith("-approval"):
            yield f"job {name} rolls back after waiting for an approval"
        for step in steps_of(job):
            if (command(step) or reaches_cluster(step)) and not _always(step):
                title = step.get("name", step.get("uses"))
                yield f"step {title} of job {name} lacks `always()` in its `if`"


def needs(job: Tree) -> list[str]:
    """The jobs that a job needs."""
    names = job.get("needs", [])
    return [names] if isinstance(names, str) else list(names)


def _always(node: Tree) -> bool:
    condition = str(node.get("if", ""))
    return "always()" in condition and "!always()" not in condition.replace(" ", "")

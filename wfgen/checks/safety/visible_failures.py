"""A failed release turns the run red: no failure of the release program is ignored.

With `continue-on-error` a failed monitor counts as a success, and the release is not rolled back
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idcontinue-on-error).
The verdict of a pipeline and the gate of a preview turn the run red; a job that needs others and
has no `always()` is skipped, and a skipped job is green.

Remove `continue-on-error`; keep the job that ends the pipeline, and its `if`.
"""

from collections.abc import Iterator

from wfgen.checks.safety._patched import (
    PatchedFile,
    command,
    commands,
    reaches_cluster,
    releases,
    steps_of,
)

LAST = ("verdict", "gate")
"""Commands of the release program that end a pipeline."""
REPORTING = {*LAST, "notify"}


def check(file: PatchedFile) -> Iterator[str]:
    """Checks the jobs that release, and those that report the result."""
    release_jobs = [name for name, job in file.jobs.items() if releases(job) or commands(job)]
    for name in release_jobs:
        job = file.jobs[name]
        if _ignores_failure(job):
            yield f"the run ignores a failure of job {name}"
        for step in steps_of(job):
            if (command(step) or reaches_cluster(step)) and _ignores_failure(step):
                title = step.get("name", step.get("uses"))
                yield f"job {name} ignores a failure of step {title}"
        if commands(job) & REPORTING and "always()" not in str(job.get("if", "")):
            yield f"job {name} reports the result without `always()` in its `if`"
    if any(releases(job) for job in file.jobs.values()):
        used = {command for name in release_jobs for command in commands(file.jobs[name])}
        if not used & set(LAST):
            yield "no job at the end fails unless the release is verified"


def _ignores_failure(node: dict[str, object]) -> bool:
    return node.get("continue-on-error", "false") != "false"

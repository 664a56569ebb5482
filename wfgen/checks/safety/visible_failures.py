"""A failed release turns the run red: no failure of the release program is ignored.

With `continue-on-error` a failed monitor counts as a success
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idcontinue-on-error).
Only what comes after a good release may fail without an effect: deleting old objects, and the
comment in a pull request. The verdict of a pipeline and the gate of a preview turn the run red; a
job or a step without `always()` is skipped after a failure, and a skipped one is green.

Remove `continue-on-error`; keep the job that ends the pipeline, its steps, and their `if`.
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
REPORTING = {*LAST, "notify", "audit"}
MINOR = {"prune", "comment"}
"""Commands whose failure does not make a release worse."""


def check(file: PatchedFile) -> Iterator[str]:
    """Checks the jobs that release, and those that report the result."""
    release_jobs = [name for name, job in file.jobs.items() if releases(job) or commands(job)]
    for name in release_jobs:
        job = file.jobs[name]
        if _ignores_failure(job):
            yield f"the run ignores a failure of job {name}"
        for step in steps_of(job):
            title = step.get("name", step.get("uses"))
            matters = reaches_cluster(step) or command(step) not in ("", *MINOR)
            if matters and _ignores_failure(step):
                yield f"job {name} ignores a failure of step {title}"
            if command(step) in REPORTING and not _always(step):
                yield f"step {title} of job {name} reports without `always()` in its `if`"
        if commands(job) & REPORTING and not _always(job):
            yield f"job {name} reports the result without `always()` in its `if`"
    if any(releases(job) for job in file.jobs.values()):
        used = {command for name in release_jobs for command in commands(file.jobs[name])}
        if not used & set(LAST):
            yield "no step at the end fails unless the release is verified"


def _always(node: dict[str, object]) -> bool:
    return "always()" in str(node.get("if", ""))


def _ignores_failure(node: dict[str, object]) -> bool:
    return node.get("continue-on-error", "false") != "false"

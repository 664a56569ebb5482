"""What fails is red: no failure of the release program is passed over, and somebody says so.

With `continue-on-error` a failed monitor counts as a success, and nothing is rolled back
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idcontinue-on-error).
The verdict of a pipeline and the gate of a preview turn the run red; a job that needs others and
has no `always()` is skipped, and a skipped job is green.

Remove `continue-on-error`; keep the job that ends the pipeline, and its `if`.
"""

from collections.abc import Iterator

from wfgen.checks.safety._checked import (
    Checked,
    command,
    commands,
    reaches_cluster,
    releases,
    steps_of,
)

LAST = ("verdict", "gate")
"""Commands of the release program that end a pipeline."""
TOLD = {*LAST, "notify"}


def check(checked: Checked) -> Iterator[str]:
    """Looks at the jobs that release, and at those that tell how it went."""
    ours = [name for name, job in checked.jobs.items() if releases(job) or commands(job)]
    for name in ours:
        job = checked.jobs[name]
        if _passes_over(job):
            yield f"job {name} fails, and the run goes on as if it had not"
        for step in steps_of(job):
            if (command(step) or reaches_cluster(step)) and _passes_over(step):
                what = step.get("name", step.get("uses"))
                yield f"step {what} of job {name} fails, and the job goes on as if it had not"
        if commands(job) & TOLD and "always()" not in str(job.get("if", "")):
            yield f"job {name} tells how the run went, without always() in its `if`"
    if any(releases(job) for job in checked.jobs.values()):
        said = {each for name in ours for each in commands(checked.jobs[name])}
        if not said & set(LAST):
            yield "no job says at the end whether the release is good"


def _passes_over(node: dict[str, object]) -> bool:
    return node.get("continue-on-error", "false") != "false"

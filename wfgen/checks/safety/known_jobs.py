"""`needs` names existing jobs, and no two steps of a job have the same id.

GitHub starts no run of a workflow in which this does not hold
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idneeds).

Correct the name; where a patch removes a job, patch the `needs` of those that wait for it.
"""

from collections.abc import Iterator

from wfgen.checks.safety._patched import PatchedFile, steps_of
from wfgen.checks.safety.rollback_always import needs


def check(file: PatchedFile) -> Iterator[str]:
    """Checks every job."""
    for name, job in file.jobs.items():
        for other in needs(job):
            if other not in file.jobs:
                yield f"job {name} needs `{other}`, which does not exist"
        ids = [str(step["id"]) for step in steps_of(job) if "id" in step]
        for duplicate in sorted({step_id for step_id in ids if ids.count(step_id) > 1}):
            yield f"job {name} has more than one step with id `{duplicate}`"

"""`needs` names jobs that there are, and no two steps of a job have one id.

GitHub starts no run of a workflow that names others
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idneeds).

Mend the name; where a patch removes a job, patch the `needs` of those that wait for it.
"""

from collections.abc import Iterator

from wfgen.checks.safety._checked import Checked, steps_of
from wfgen.checks.safety.rollback_always import needs


def check(checked: Checked) -> Iterator[str]:
    """Looks at every job."""
    for name, job in checked.jobs.items():
        for other in needs(job):
            if other not in checked.jobs:
                yield f"job {name} needs {other}, which is no job"
        ids = [str(step["id"]) for step in steps_of(job) if "id" in step]
        for each in sorted({each for each in ids if ids.count(each) > 1}):
            yield f"job {name} has more than one step of id {each}"

"""Every step that reaches a cluster ends before the login before it expires: within an hour.

Jobs log in by OIDC, and the credentials they get are valid for an hour at AWS, Google and
Azure (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html,
https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines,
https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens). A later step
could no longer read the cluster, and would roll back a healthy release.

Shorten `rollout.timeout`, `rollout.bake` or `migrate.timeout`; a login by kubeconfig has no such
limit.
"""

import re
from collections.abc import Iterator

from wfgen.checks.rules._workflow import Violation, WorkflowText

LIMIT = 60
"""Minutes."""
_JOB = re.compile(r"^    timeout-minutes: (\d+)$", re.MULTILINE)
_STEP = re.compile(r"^        timeout-minutes: (\d+)$", re.MULTILINE)
_LOGIN = "/actions/cluster-login"


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Checks the time limits of steps after a login to a cluster by OIDC."""
    for name, job in workflow.jobs.items():
        limit = _JOB.search(job)
        if limit and "id-token: write" in job and _LOGIN in job:
            latest = min(int(limit[1]), _latest_end(job, int(limit[1])))
            if latest > LIMIT:
                message = f"job {name} may use its login to the cluster for {latest} minutes"
                yield Violation(f"{message}; it expires after {LIMIT}", name)


def _latest_end(job: str, limit: int) -> int:
    """Minutes from a login to the latest end of a step after it; at most the job's limit."""
    latest = since = 0
    for step in job.partition("\n    steps:\n")[2].split("\n      - "):
        minutes = int(found[1]) if (found := _STEP.search(step)) else limit
        if _LOGIN in step:
            since = 0
            continue
        since += minutes
        if since > latest and _is_after_login(job, step):
            latest = since
    return latest


def _is_after_login(job: str, step: str) -> bool:
    return job.find(step) > job.find(_LOGIN)

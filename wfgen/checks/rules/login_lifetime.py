"""A job that reaches a cluster ends before its login expires: within an hour.

Jobs log in once, by OIDC, and the credentials they get are valid for an hour at AWS, Google and
Azure (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html,
https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines,
https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens). A longer job
could no longer read the cluster, and would roll back a healthy release.

Shorten `rollout.timeout`, `rollout.bake` or `migrate.timeout`; a login by kubeconfig has no such
limit.
"""

import re
from collections.abc import Iterator

from wfgen.checks.rules._workflow import Violation, WorkflowText

LIMIT = 60
"""Minutes."""
_TIMEOUT = re.compile(r"^    timeout-minutes: (\d+)$", re.MULTILINE)


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Checks the time limits of jobs that log in to a cluster by OIDC."""
    for name, job in workflow.jobs.items():
        limit = _TIMEOUT.search(job)
        by_token = "id-token: write" in job and "/actions/cluster-login" in job
        if limit and by_token and int(limit[1]) > LIMIT:
            message = f"job {name} may run {limit[1]} minutes; its login to the cluster expires"
            yield Violation(f"{message} after {LIMIT}", name)

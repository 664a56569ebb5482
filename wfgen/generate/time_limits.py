"""`timeout-minutes` of generated steps and jobs: longer than the limits of the release program."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wfgen.specs.kinds.service import ServiceSpec

LOGIN_LIFETIME = 60
"""Minutes that a login by OIDC is valid; see `wfgen.checks.rules.login_lifetime`."""
LONGEST_JOB = 360
"""https://docs.github.com/en/actions/reference/limits"""
BEFORE_RELEASE = ("login", "namespace", "preflight")
"""Steps from the login to the first that changes what the cluster runs."""


def minutes(environments: Sequence[Sequence[ServiceSpec]]) -> dict[str, int]:
    """The limits of steps, and of jobs (`..._job`): the sum of their steps, and time to set up.

    `environments` has the services that each environment deploys, in order of dependence.
    """
    deployed = [spec for specs in environments for spec in specs]
    rollout = max((spec.rollout.timeout for spec in deployed), default=0)
    bake = max((spec.rollout.bake for spec in deployed), default=0)
    migrations = {spec.name: spec.migrate.timeout for spec in deployed if spec.migrate}
    chain = max((longest_chain(specs) for specs in environments), default=0)
    restore = 3 * rollout + 600
    seconds = {
        "checkout": 600,
        "login": 300,
        "namespace": 300,
        "preflight": restore + 600,  # may undo what an ended run left
        "migrate": sum(migrations.values()) + 300,
        "deploy": min(chain, 4 * rollout) + 600,  # in a long chain, most are ready much earlier
        "monitor": 2 * rollout + bake + 300,  # the bake time may begin again
        "prune": 600,
        "rollback": restore,
        "restore": restore + 300,
        "report": 300,
    }
    steps = {step: min(math.ceil(value / 60), LONGEST_JOB) for step, value in seconds.items()}
    jobs = {
        "deploy_job": (
            "checkout",
            *BEFORE_RELEASE,
            *(["migrate", "login"] if migrations else []),
            "deploy",
        ),
        "monitor_job": ("login", "monitor", "login", "prune"),
        "rollback_job": ("login", "rollback"),
        "restore_job": ("login", "restore"),
        "inspect_job": ("login", "report"),
        "finish": ("report", "report", "report"),
    }
    limits = {job: sum(steps[step] for step in of) + steps["checkout"] for job, of in jobs.items()}
    return {**steps, **{job: min(limit, LONGEST_JOB) for job, limit in limits.items()}}


def longest_chain(services: Sequence[ServiceSpec]) -> int:
    """Seconds until the last of these services is ready: independent ones roll out side by side.

    Each comes after the services that it depends on.
    """
    ready: dict[str, int] = {}
    for service in services:
        before = [ready.get(name, 0) for name in service.depends_on]
        ready[service.name] = max(before, default=0) + service.rollout.timeout
    return max(ready.values(), default=0)

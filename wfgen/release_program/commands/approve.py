"""Who approved a run: GitHub starts a job without asking where an environment has no reviewers."""

from __future__ import annotations

import os
from typing import Any

from ..contract import Description, load
from ..failure import Failure
from ..hosting.github import GitHub
from ..hosting.needs import Needs
from ..hosting.outputs import add_summary, log, warning, write_output
from ..names import Job, Output, Variable, approval_environment

NOBODY = "nobody"
PERMISSION = "actions: read"


def approve() -> int:
    """Reports who approved this run, in the job that the required reviewers let start.

    Fails where GitHub asked nobody, unless the environment's spec has `approval: {unasked:
    report}`. GitHub lists the approvals of a run without its attempts: one of an earlier attempt
    counts.
    """
    description, needs = load(), Needs.load()
    environment = approval_environment(description.environment)
    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    # https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
    reviews = github.get(f"actions/runs/{os.environ.get(Variable.RUN_ID)}/approvals", PERMISSION)
    people = list(dict.fromkeys(_approver(r) for r in reviews if _approves(r, environment)))
    write_output(Output.APPROVED_BY, ", ".join(people) or NOBODY)
    if not people:
        _report_unasked(description, environment)
    services = ", ".join(needs.services) or "none"
    text = (
        f"approved by {', '.join(people) or NOBODY}: {description.environment}, "
        f"commit {needs.output(Job.PLAN, Output.SHA)}, services {services}"
    )
    log(text)
    add_summary(text[0].upper() + text[1:])
    return 0


def _approves(review: dict[str, Any], environment: str) -> bool:
    """Whether a review approved a deployment to an environment, whose name is without case."""
    names = [str(named["name"]).lower() for named in review.get("environments", ())]
    return review.get("state") == "approved" and environment.lower() in names


def _approver(review: dict[str, Any]) -> str:
    """The account of a review; GitHub shows a deleted one as `ghost`."""
    return str((review.get("user") or {}).get("login") or "ghost")


def _report_unasked(description: Description, environment: str) -> None:
    """Raises `Failure`, or prints a warning where the spec allows that."""
    text = f"GitHub asked nobody to approve this run: {environment} has no required reviewers"
    if description.approval == "report":
        warning(f"{text}; `unasked: report` lets the release go on")
        return
    raise Failure(
        f"{text}. Add them in Settings, Environments, {environment}, then re-run all jobs. For a "
        "private repository GitHub has them only in the Enterprise plan: on Free, Pro and Team, "
        "set `approval: {unasked: report}` for the environment in specs/project.yaml, which "
        "releases without an approval and reports it"
    )

"""A run for a fork or for Dependabot has no credentials and does nothing in a cluster.

Its code is untrusted: that of a fork, or of a new version of a dependency. Of a fork's
`pull_request` run GitHub lowers the token to read, so that it gets no identity token either
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions).
Dependabot's token has what `permissions` requests, and a fork's has under `pull_request_target`
(https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions).
So no job with the pull request's code may request a token that writes. One that runs the release
program alone, as the gate does, may write the pull request's comment. GitHub withholds secrets from
both, and a step that reads one cannot work
(https://docs.github.com/en/actions/reference/security/secure-use). What `pull_request_target`
builds would also share the caches of the default branch.

Build what is not pushed in a job without permissions, and gate jobs that need credentials on where
the pull request comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfgen.checks.properties._breach import Breach
from wfgen.checks.scenarios.pipeline import Pipeline, Place
from wfgen.checks.scenarios.roles import IN_THE_CLUSTER
from wfgen.release_program import names

if TYPE_CHECKING:
    from wfgen.checks.scenarios.story import Story

_HEAD = re.compile(r"pull_request\.head\.|github\.head_ref|pull_request\.number")


def check_run(story: Story) -> str:
    """Checks the jobs that began, and their steps."""
    if story.event.trusted:
        return ""
    for done in story.done:
        if done.action.role in IN_THE_CLUSTER:
            return f"job {done.action.job} reaches the cluster ({done.action.role})"
    if story.event.name == "pull_request_target" and (builds := story.of("build")):
        return f"job {builds[0].action.job} builds a pull request under pull_request_target"
    for path, run in story.run.jobs.items():
        if run.began and (message := _holds(story, path)):
            return f"job {path} {message}"
    return ""


def _holds(story: Story, path: str) -> str:
    """The credentials that a job of this run has; "" for none."""
    place = story.pipeline.places[path]
    job_secret, step_secrets = story.pipeline.secrets[path]
    if place.job.called:
        # Its jobs are in the run as well; of secrets that are named they get those that they read.
        return f"is passed {job_secret}" if place.job.secrets == "inherit" else ""
    if not story.event.lowered and (granted := _granted(place)):
        return f"may {granted}"
    if job_secret:
        return f"is passed {job_secret}"
    steps = story.run.jobs[path].steps if any(step_secrets) else ()
    for index, secret in enumerate(step_secrets):
        if secret and not (steps and steps[index].conclusion == "skipped"):
            return f"reads {secret}"
    return ""


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Under pull_request_target, no job checks out the pull request's code."""
    for pipeline in pipelines:
        if "pull_request_target" not in pipeline.workflow.triggers:
            continue
        for path, place in pipeline.places.items():
            for step in place.job.steps:
                ref = str(step.inputs.get("ref", ""))
                if step.uses.startswith("actions/checkout@") and _HEAD.search(ref):
                    message = f"job {path} checks out a pull request under pull_request_target"
                    yield Breach(pipeline, message, place)


def _granted(place: Place) -> str:
    """What the job's token may write; "" for nothing."""
    comments = all(
        names.local_path(step.uses) == names.RELEASE_ACTION
        or step.uses.startswith("actions/checkout@")
        for step in place.job.steps
    )
    for name, level in place.permissions.items():
        if level == "write" and not (name == "pull-requests" and comments):
            return "request an identity token" if name == "id-token" else f"write {name}"
    return ""

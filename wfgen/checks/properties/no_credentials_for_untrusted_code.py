"""A run for a fork or for Dependabot has no credentials and does nothing in a cluster.

Its code is untrusted. GitHub withholds secrets from `pull_request` runs of forks and of Dependabot
(https://docs.github.com/en/actions/reference/security/secure-use), but runs the jobs, and under
`pull_request_target` it does not even withhold secrets. So no such run may log in to a cluster,
read a secret, request an identity token, or request a token that writes; the one exception is
`packages: write` of a build, which GitHub lowers to read there, and which pushes nothing.

Gate these jobs on where the pull request comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wfgen.checks.properties._breach import Breach
from wfgen.checks.scenarios.pipeline import Pipeline, Place
from wfgen.checks.scenarios.roles import IN_THE_CLUSTER

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
    for path, run in story.run.jobs.items():
        if not run.began:
            continue
        place = story.pipeline.places[path]
        builds = any(action.role == "build" for action in story.pipeline.at[path])
        if granted := _granted(place, builds):
            return f"job {path} may {granted}"
        job_secret, step_secrets = story.pipeline.secrets[path]
        if job_secret:
            return f"job {path} is passed {job_secret}"
        steps = run.steps if any(step_secrets) else ()
        for index, secret in enumerate(step_secrets):
            if secret and not (steps and steps[index].conclusion == "skipped"):
                return f"job {path} reads {secret}"
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


def _granted(place: Place, builds: bool) -> str:
    """What the job's token may write; "" for nothing. A job that calls a workflow has none."""
    if place.job.called:
        return ""
    for name, level in place.permissions.items():
        if level == "write" and not (name == "packages" and builds):
            return "request an identity token" if name == "id-token" else f"write {name}"
        if level == "write-all":
            return "write everything"
    return ""

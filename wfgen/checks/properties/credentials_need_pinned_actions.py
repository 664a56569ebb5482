"""Credentials are passed only to actions that are pinned to a commit.

Whoever can move a tag or a branch of an action can read what its step is passed
(https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions).

Pin the action by its full commit SHA.
"""

import re
from collections.abc import Iterator

from wfgen.actions.workflow import Step
from wfgen.checks.properties._breach import Breach
from wfgen.checks.scenarios.pipeline import Pipeline, Place
from wfgen.checks.scenarios.roles import IN_THE_CLUSTER
from wfgen.release_program import names

_PINNED = re.compile(r"^docker://.*@sha256:|@[0-9a-f]{40}$")
_SECRET = re.compile(r"\bsecrets\.|github\.token|kube_?config", re.IGNORECASE)


def check_files(pipelines: tuple[Pipeline, ...]) -> Iterator[Breach]:
    """Checks steps that are passed a secret, and all steps of jobs that reach a cluster."""
    for pipeline in pipelines:
        for path, place in pipeline.places.items():
            in_cluster = any(action.role in IN_THE_CLUSTER for action in pipeline.at[path])
            for step in place.job.steps:
                other = bool(step.uses) and not names.local_path(step.uses)
                unpinned = other and not _PINNED.search(step.uses)
                if unpinned and (in_cluster or _has_credentials(place, step)):
                    message = f"job {path} passes credentials to {step.uses}, which is not pinned"
                    yield Breach(pipeline, message, place)


def _has_credentials(place: Place, step: Step) -> bool:
    passed = f"{step.inputs} {step.env}"
    return place.permissions.get("id-token") == "write" or bool(_SECRET.search(passed))

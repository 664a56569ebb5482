"""Credentials are handed only to actions that are pinned to a commit.

Whoever can move a tag or a branch of an action can read whatever its step is given
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
    """Looks at steps that are given a secret, and at all steps of jobs that reach a cluster."""
    for pipeline in pipelines:
        for path, place in pipeline.places.items():
            inside = any(each.role in IN_THE_CLUSTER for each in pipeline.at[path])
            for step in place.job.steps:
                other = bool(step.uses) and not names.local_path(step.uses)
                loose = other and not _PINNED.search(step.uses)
                if loose and (inside or _trusted(place, step)):
                    message = f"{path} hands credentials to {step.uses}"
                    yield Breach(pipeline, message, place)


def _trusted(place: Place, step: Step) -> bool:
    given = f"{step.inputs} {step.env}"
    return place.permissions.get("id-token") == "write" or bool(_SECRET.search(given))

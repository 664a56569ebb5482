"""Runs and their attempts: who owns a release, and whether that attempt has ended.

An owner is `owner/name/run/attempt`. Records of older versions have `owner/name/run`: attempt 0.
"""

from __future__ import annotations

import os
import re

from ..names import Variable
from .github import GitHub, GitHubError
from .outputs import log, run_attempt

BY_HAND = "by-hand"
"""The repository of a program that was not started by a workflow."""

_OWNER = re.compile(rf"(?P<run>(?P<repository>{BY_HAND}|[^/]+/[^/]+)/\d+)(?:/(?P<attempt>\d+))?")


def repository() -> str:
    """The repository that this run belongs to: owner/name."""
    return os.environ.get(Variable.REPOSITORY) or BY_HAND


def this_run() -> str:
    """The run that this job belongs to: owner/name/run id."""
    return f"{repository()}/{os.environ.get(Variable.RUN_ID) or '0'}"


def this_attempt() -> str:
    """The attempt that this job belongs to, which owns what it releases: owner/name/run/attempt."""
    return f"{this_run()}/{run_attempt()}"


def split_owner(owner: str) -> tuple[str, int]:
    """The run (owner/name/run id) and the attempt of an owner; attempt 0 where it has none."""
    match = _OWNER.fullmatch(owner)
    return (match["run"], int(match["attempt"] or 0)) if match else (owner, 0)


def attempt_has_ended(owner: str) -> bool | None:
    """Whether GitHub says that the attempt that owns a release is completed.

    None where that is not known: the owner belongs to another repository, GitHub does not find it,
    or does not answer. Needs a token with `actions: read`.
    https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run-attempt
    """
    match = _OWNER.fullmatch(owner)
    if not match or match["repository"] != repository():
        log(f"whether {owner} has ended is unknown: it does not belong to {repository()}")
        return None
    path = f"actions/runs/{match['run'].rpartition('/')[2]}"
    if match["attempt"]:
        path += f"/attempts/{match['attempt']}"
    try:
        run = GitHub(os.environ.get(Variable.TOKEN, "")).get(path, "actions: read")
        return bool(run["status"] == "completed")
    except (GitHubError, KeyError, TypeError, ValueError) as problem:
        log(f"whether {owner} has ended is unknown: {problem}")
        return None

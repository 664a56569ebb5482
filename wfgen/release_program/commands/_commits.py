"""The commit that a run releases: one that the default branch contains."""

from __future__ import annotations

import os
import re

from ..contract import Description
from ..failure import Failure
from ..hosting import event, git
from ..names import Variable


def to_release(description: Description) -> str:
    """The commit to release: WFGEN_REF, or the commit of the run. Raises `Failure`."""
    ref = os.environ.get(Variable.REF, "").strip()
    if not ref:
        return of_run(description)
    candidates = [f"refs/remotes/origin/{ref}", f"refs/tags/{ref}"]
    if re.fullmatch(r"[0-9a-f]{7,40}", ref):
        candidates.append(ref)
    # A name, never an expression (main~3, main@{yesterday}) that git would evaluate.
    named = git.run("check-ref-format", candidates[0]).returncode == 0
    sha = next(filter(None, map(git.commit, candidates)), "") if named else ""
    if not sha:
        raise Failure(f"unknown ref {ref!r}: use a branch, tag or commit of this repository")
    _demand_merged(description, sha, ref)
    return sha


def of_run(description: Description) -> str:
    """The commit of the run. Raises `Failure` for a dispatch from a branch that is not merged."""
    sha = os.environ.get(Variable.COMMIT) or git.read("rev-parse", "HEAD")
    if event.name() == event.DISPATCH:
        _demand_merged(description, sha, sha)
    return sha


def _demand_merged(description: Description, sha: str, name: str) -> None:
    """Raises `Failure` unless the default branch contains the commit."""
    if is_unmerged(description, sha):
        raise Failure(
            f"{name} is not merged into {description.default_branch}: only merged commits can be "
            f"released to {description.environment}"
        )


def is_unmerged(description: Description, sha: str) -> bool:
    """Whether the default branch does not contain a commit. Raises `Failure` without history."""
    branch = f"refs/remotes/origin/{description.default_branch}"
    if not git.commit(branch):
        raise Failure(f"this clone has no {branch}: actions/checkout needs fetch-depth: 0")
    return not git.is_ancestor(sha, branch)

"""Whether a service changed between two commits, by the paths that its description names.

The only comparison of this kind: `plan` proposes by it, and `preflight` decides by it. It reads
trees only, so a clone without file contents (`--filter=blob:none`) is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import Description, Service
from ..hosting import git


@dataclass(frozen=True)
class Change:
    """Why a service is released, and whether its image must be built again."""

    reason: str
    rebuild: bool


def changed(
    description: Description, service: Service, old_sha: str, new_sha: str
) -> Change | None:
    """What changed in a service between two commits; None for nothing.

    A commit that this clone does not have counts as changed, image included.
    """
    if old_sha == new_sha:
        return None
    for sha in (old_sha, new_sha):
        if not git.commit(sha):
            return Change(f"its commit {sha[:12]} is not in this clone", True)
    if _differs(old_sha, new_sha, service.watch):
        return Change(f"changed since {old_sha[:12]}", True)
    if service.deploy and _differs(old_sha, new_sha, (*service.manifests, *description.watch)):
        return Change(f"manifests changed since {old_sha[:12]}", False)
    return None


def _differs(old: str, new: str, paths: Sequence[str]) -> bool:
    """Whether anything under `paths` differs; True also if git fails."""
    if not paths:  # without paths, git compares everything
        return False
    # --no-renames: a file that moved out of the paths counts as removed.
    options = ("--quiet", "--no-renames", "--no-ext-diff")
    return git.run("diff", *options, old, new, "--", *paths).returncode != 0

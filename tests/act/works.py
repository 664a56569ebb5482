"""The pieces of work of a workflow: the commands of the release program, and the builds.

Their names are "job: command", such as "Release/Deploy: migrate" or "Build client/Build: build".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

RELEASE = re.compile(r"(?:\./|\$/)\.github/actions/release")
BUILD = re.compile(r"docker/build-push-action@")
MARKS = {
    "plan": r"^### Plan for ",
    "build": r"^built ",
    "approve": r"^approved by ",
    "namespace": r"^namespace ",
    "preflight": r"^release \d+ of |^\*\*(?:Stale|Nothing to release)\*\*",
    "migrate": r"^migrating ",
    "deploy": r"^(?:Deployment|StatefulSet)/",
    "monitor": r"^### Release \d+ of ",
    "prune": r" objects pruned$|nothing is pruned$",
    "rollback": r"was rolled back to|^nothing was applied|^no release of this run is in flight",
    "audit": r"^(?:created )?tag deploy/|^GitHub deployment \d+ of |^no release started",
    "revert": r"^### Revert ",
    "notify": r"^Slack was notified$",
    "verdict": r"^## ",
    "comment": r"^commented on pull request |^comment \d+ of pull request ",
    "gate": r"^## ",
    "inspect": r"^no release is in flight$|release \d+ (?:of \S+ )?(?:is )?`",
    "restore": r"^no release is in flight$|release \d+ (?:of \S+ )?(?:is )?`",
    "teardown": r"^deleted namespace ",
    "previews": r"^\d+ previews$",
    "closed": r"^preview \d+: |^no preview ",
}
"""What each command prints when it does its work: success alone proves nothing."""


def find_works(path: Path) -> dict[str, str]:
    """The name of the work of each step that has one, by "job: step", called workflows included."""
    return dict(_find(path, ""))


def is_done(work: str, text: str) -> bool:
    """Whether the output of a piece of work has its mark."""
    return bool(re.search(MARKS[work.rpartition(": ")[2]], text, re.MULTILINE))


def _find(path: Path, caller: str) -> Iterator[tuple[str, str]]:
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    for job in jobs.values():
        name = caller + job["name"]
        if "uses" in job:
            yield from _find(path.parent / Path(job["uses"]).name, f"{name}/")
        for step in job.get("steps", ()):
            if RELEASE.fullmatch(step.get("uses", "")):
                yield f"{name}: {step['name']}", f"{name}: {step['with']['command']}"
            elif BUILD.match(step.get("uses", "")):
                yield f"{name}: {step['name']}", f"{name}: build"

"""The audit trail of an environment, read from the annotated tags that its releases left.

`deploy/<environment>/<n>` is a release that was verified, `rollback/<environment>/<n>` one that was
undone. The last line of a tag's message is JSON: the release program's `audit` writes it.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wfgen.errors import WfgenError
from wfgen.findings import did_you_mean, printable
from wfgen.release_program import names
from wfgen.report.listing import table
from wfgen.specs.references import Project

_FORMAT = "%(objecttype)%00%(refname:strip=2)%00%(taggerdate:iso-strict)%00%(contents)%00"


@dataclass(frozen=True)
class Release:
    """How a release ended, as its tag says."""

    release: int
    when: str
    ended: str
    """live, or what was restored when it was undone, and why."""
    commit: str
    actor: str
    services: dict[str, str | None]
    """The image of each service; None where it is not built here."""
    run: str
    tag: str


def history(project: Project, environment: str, limit: int, style: str) -> str:
    """The newest releases of an environment, for people or as JSON. Raises `WfgenError`."""
    lasting = [n for n, e in project.spec.environments.items() if not e.preview]
    if environment not in lasting:
        hint = did_you_mean(environment, lasting, "previews leave no tags")
        raise WfgenError(f"{environment} is no environment with a history; {hint}")
    found = releases(project.root, environment)[:limit]
    if style == "json":
        return json.dumps([asdict(each) for each in found], indent=2)
    if not found:
        return f"this clone has no tag of a release to {environment}; try: git fetch --tags"
    rows = [("release", "when", "ended", "commit", "by", "services", "run")]
    rows += [
        (str(r.release), r.when, r.ended, r.commit[:12], r.actor, ", ".join(r.services), r.run)
        for r in found
    ]
    return "\n".join(printable(line) for line in table(rows))


def releases(root: Path, environment: str) -> list[Release]:
    """What the tags of an environment say, newest first. Raises `WfgenError` without a clone."""
    command = ["git", "for-each-ref", f"--format={_FORMAT}"]
    tags = (names.deploy_tag(environment, ""), names.rollback_tag(environment, ""))
    places = [f"refs/tags/{tag}" for tag in tags]
    try:
        done = subprocess.run(
            [*command, *places],
            cwd=root,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise WfgenError(f"git cannot be started: {error.strerror}") from error
    if done.returncode:
        raise WfgenError(f"the history is in git's tags: {done.stderr.strip()}")
    found = [_read(*entry.split("\0")[:4]) for entry in done.stdout.split("\0\n") if entry]
    return sorted((r for r in found if r), key=lambda r: (r.release, r.when), reverse=True)


def _read(kind: str, tag: str, when: str, message: str) -> Release | None:
    """The release of a tag; None for a tag that no release made."""
    number = names.tagged_release(tag)
    if kind != "tag" or number is None:
        return None
    try:
        facts: dict[str, Any] = json.loads(message.strip().rpartition("\n")[2])
        services = {str(n): each["image"] for n, each in facts["services"].items()}
        ended = "live"
        if names.is_rollback_tag(tag):
            ended = f"rolled back ({facts['cause'] or 'unknown'}), restored {facts['restored']}"
        texts = (str(facts["sha"]), str(facts["actor"]), services, str(facts["run"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        ended, texts = "unknown: the tag says nothing of a release", ("", "", {}, "")
    return Release(number, when, ended, *texts, tag)

"""How the releases to an environment ended, from the annotated tags that they left.

`deploy/<environment>/<n>` is a verified release, `rollback/<environment>/<n>` one that was rolled
back. The last line of the tag's message is JSON, written by the release program's `audit`.
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
from wfgen.report.table import table
from wfgen.specs.references import Project

_FORMAT = "%(objecttype)%00%(refname:strip=2)%00%(taggerdate:iso-strict)%00%(contents)%00"


@dataclass(frozen=True)
class Release:
    """How a release ended, as its tag says."""

    release: int
    when: str
    ended: str
    """`live`, or the cause of the rollback and what was restored."""
    commit: str
    actor: str
    services: dict[str, str | None]
    """The image of each service; None where this repository does not build it."""
    run: str
    tag: str


def as_json(releases: list[Release]) -> str:
    """A list of objects."""
    return json.dumps([asdict(release) for release in releases], indent=2)


def as_text(releases: list[Release], environment: str) -> str:
    """A table."""
    if not releases:
        return f"no tags of releases to {environment} in this clone; try `git fetch --tags`"
    rows = [("release", "when", "ended", "commit", "by", "services", "run")]
    rows += [
        (str(r.release), r.when, r.ended, r.commit[:12], r.actor, ", ".join(r.services), r.run)
        for r in releases
    ]
    return "\n".join(printable(line) for line in table(rows))


def releases_of(project: Project, environment: str) -> list[Release]:
    """The releases to an environment of the project, newest first. Raises `WfgenError`."""
    lasting = [name for name, spec in project.spec.environments.items() if not spec.preview]
    if environment not in lasting:
        if environment in project.spec.environments:
            raise WfgenError(f"`{environment}` has no release history: previews leave no tags")
        hint = did_you_mean(environment, lasting, "see `environments` in specs/project.yaml")
        raise WfgenError(f"unknown environment `{environment}`; {hint}")
    return releases(project.root, environment)


def releases(root: Path, environment: str) -> list[Release]:
    """The releases that the tags of a clone name, newest first.

    Raises `WfgenError` where git is missing or `root` is not a clone.
    """
    command = ["git", "for-each-ref", f"--format={_FORMAT}"]
    prefixes = (names.deploy_tag(environment, ""), names.rollback_tag(environment, ""))
    refs = [f"refs/tags/{prefix}" for prefix in prefixes]
    try:
        done = subprocess.run(
            [*command, *refs],
            cwd=root,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise WfgenError(f"cannot run git: {error.strerror}") from error
    if done.returncode:
        raise WfgenError(f"cannot read git tags: {done.stderr.strip()}")
    tags = [_read(*entry.split("\0")[:4]) for entry in done.stdout.split("\0\n") if entry]
    return sorted((r for r in tags if r), key=lambda r: (r.release, r.when), reverse=True)


def _read(kind: str, tag: str, when: str, message: str) -> Release | None:
    """The release of a tag; None for a tag that is not a release's."""
    number = names.tagged_release(tag)
    if kind != "tag" or number is None:
        return None
    try:
        facts: dict[str, Any] = json.loads(message.strip().rpartition("\n")[2])
        services = {str(name): service["image"] for name, service in facts["services"].items()}
        ended = "live"
        if names.is_rollback_tag(tag):
            ended = f"rolled back ({facts['cause'] or 'unknown'}), restored {facts['restored']}"
        texts = (str(facts["sha"]), str(facts["actor"]), services, str(facts["run"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        ended, texts = "unknown: the tag's message cannot be read", ("", "", {}, "")
    return Release(number, when, ended, *texts, tag)

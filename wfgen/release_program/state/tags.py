"""The annotated tags that make releases visible in git.

deploy/<environment>/<n>    release n was verified: the tagged commit is live
rollback/<environment>/<n>  release n was undone: the tagged commit is the one that failed

The last line of the message is JSON, written and read in this module only. Anybody with push
permission can write a tag, so what does not match the description is ignored, with a notice. An
ignored service counts as changed, which is safe: no older tag is used for it. A tag is never an
authority: a run that believes a false one builds too much, or fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import names
from ..contract import Description
from ..hosting import git
from ..hosting.needs import is_image_of
from ..hosting.outputs import notice, warning

SHA = re.compile(r"[0-9a-f]{40}")
_DIGITS = 6
"""Of a release's number; whoever can push a tag must not exhaust the numbers."""


@dataclass(frozen=True)
class Recorded:
    """One service in a tag: its commit, and its image; None where it is not built here."""

    sha: str
    image: str | None


@dataclass(frozen=True)
class Release:
    """What a deploy tag says."""

    tag: str
    number: int
    sha: str
    services: Mapping[str, Recorded | None]
    """None: the tag has the service, but its values are invalid."""
    held: bool = False
    """Whether an operator went back to a release by it: no push releases until that is ended."""


def message(title: str, text: str, said: Mapping[str, Any]) -> str:
    """A tag's message with its facts, which `facts` reads."""
    return f"{title}\n\n{text}\n\n{json.dumps(said, sort_keys=True)}\n"


def facts(text: str) -> Any:
    """The facts in a tag's message; None where it has none."""
    try:
        return json.loads(text.strip().rpartition("\n")[2])
    except ValueError:
        return None


def releases(description: Description, environment: str) -> list[Release]:
    """The releases of an environment in this clone's tags, newest first."""
    prefix = names.deploy_tag(environment, "")
    text = git.read(
        "for-each-ref", "--format=%(objecttype)%00%(refname:strip=2)%00%(contents)%00",
        f"refs/tags/{prefix}",
    )  # fmt: skip
    valid = []
    unusable: dict[str, str] = {}
    for entry in text.split("\0\n"):
        kind, _, rest = entry.partition("\0")
        tag, _, contents = rest.rstrip("\0").partition("\0")
        number = _number(tag)
        if kind == "tag" and number:
            release = _parse(description, tag, number, contents, unusable)
            if release:
                valid.append(release)
    for problem, tag in unusable.items():
        notice(f"tag {tag}: {problem}; ignored")
    return sorted(valid, key=lambda release: release.number, reverse=True)


def newest(known: Iterable[Release]) -> dict[str, Recorded | None]:
    """What these releases left of each service: a release has what changed, the rest is older."""
    recorded: dict[str, Recorded | None] = {}
    for release in sorted(known, key=lambda release: release.number):
        recorded.update(release.services)
    return recorded


def _number(tag: str) -> int:
    """The number of the release that a tag names; 0 for none, and for one with too many digits."""
    number = names.tagged_release(tag)
    if number is None:
        return 0
    if len(str(number)) > _DIGITS:
        warning(f"tag {tag} is ignored: the number of a release has at most {_DIGITS} digits")
        return 0
    return number


def _parse(
    description: Description, tag: str, number: int, contents: str, unusable: dict[str, str]
) -> Release | None:
    """The release in one message, or None. Problems are added to `unusable`."""
    try:
        said = facts(contents)
        sha, services = said["sha"], said["services"]
        held = said.get("held", False) is True
        if said["release"] != number or not SHA.fullmatch(sha):
            raise ValueError(sha)
        entries = {str(name): (entry["sha"], entry["image"]) for name, entry in services.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        unusable[f"the last line of its message does not describe release {number}"] = tag
        return None
    known: dict[str, Recorded | None] = {}
    for name, (commit, image) in entries.items():
        service = description.services.get(name)
        if service is None:
            unusable[f"service {name!r} is not in the description"] = tag
            continue
        known[name] = None
        if not isinstance(commit, str) or not SHA.fullmatch(commit):
            unusable[f"the commit of {name!r} is not a full SHA"] = tag
        elif service.built and not is_image_of(service.repository, image):
            unusable[f"the image of {name!r} is not a digest of {service.repository}"] = tag
        else:
            known[name] = Recorded(commit, image if service.built else None)
    return Release(tag, number, sha, known, held)

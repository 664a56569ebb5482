"""The annotated tags that make releases visible in git.

deploy/<environment>/<n>    release n was verified: the tagged commit is live
rollback/<environment>/<n>  release n was undone: the tagged commit is the one that failed

The last line of the message is JSON, written and read here alone. Whoever may push a tag may write
anything into one, so whatever does not fit the description is left out, with a notice. A service
left out counts as changed, which is the safe side: an older tag may not stand in for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import names
from ..contract import Description
from ..hosting import git
from ..hosting.needs import is_image_of
from ..hosting.outputs import notice

SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Recorded:
    """One service in a tag: the commit that it was released at, its image (None: not ours)."""

    sha: str
    image: str | None


@dataclass(frozen=True)
class Release:
    """What a deploy tag says."""

    tag: str
    number: int
    sha: str
    services: Mapping[str, Recorded | None]
    """None: the tag has it, but what it says cannot be used."""


def message(title: str, text: str, facts: Mapping[str, Any]) -> str:
    """A tag's message. The same facts give the same bytes, so that a re-run can compare."""
    return f"{title}\n\n{text}\n\n{json.dumps(facts, sort_keys=True)}\n"


def releases(description: Description, environment: str) -> list[Release]:
    """The releases of an environment that this clone has tags of, newest first."""
    prefix = names.deploy_tag(environment, "")
    text = git.read(
        "for-each-ref", "--format=%(objecttype)%00%(refname:strip=2)%00%(contents)%00",
        f"refs/tags/{prefix}",
    )  # fmt: skip
    found = []
    unusable: dict[str, str] = {}
    for entry in text.split("\0\n"):
        kind, _, rest = entry.partition("\0")
        tag, _, contents = rest.rstrip("\0").partition("\0")
        number = tag[len(prefix) :]
        if kind == "tag" and re.fullmatch(r"[1-9][0-9]{0,8}", number):
            release = _parse(description, tag, int(number), contents, unusable)
            if release:
                found.append(release)
    for what, tag in unusable.items():
        notice(f"tag {tag}: {what}; ignored")
    return sorted(found, key=lambda release: release.number, reverse=True)


def _parse(
    description: Description, tag: str, number: int, contents: str, unusable: dict[str, str]
) -> Release | None:
    """The release in one message, or None. What could not be used goes to `unusable`."""
    last = contents.strip().rpartition("\n")[2]
    try:
        facts = json.loads(last)
        sha, services = facts["sha"], facts["services"]
        if facts["release"] != number or not SHA.fullmatch(sha):
            raise ValueError(last)
        entries = {str(name): (entry["sha"], entry["image"]) for name, entry in services.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        unusable[f"its message ends with no description of release {number}"] = tag
        return None
    known: dict[str, Recorded | None] = {}
    for name, (at, image) in entries.items():
        service = description.services.get(name)
        if service is None:
            unusable[f"service {name!r} is not in the description"] = tag
            continue
        known[name] = None
        if not isinstance(at, str) or not SHA.fullmatch(at):
            unusable[f"the commit of {name!r} is no full SHA"] = tag
        elif service.built and not is_image_of(service.repository, image):
            unusable[f"the image of {name!r} is no digest of {service.repository}"] = tag
        else:
            known[name] = Recorded(at, image if service.built else None)
    return Release(tag, number, sha, known)

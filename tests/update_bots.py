"""What Dependabot and Renovate do to files when they bump actions, by their own rules.

Dependabot: https://docs.github.com/en/code-security/dependabot and dependabot-core's
`github_actions` (file fetcher, parser, updater). Renovate:
https://docs.renovatebot.com/modules/manager/github-actions/ and its manager of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

RENOVATE_FILES = re.compile(
    r"(^|/)(workflow-templates|\.(?:github|gitea|forgejo)/(?:workflows|actions))/.+\.ya?ml$"
    r"|(^|/)action\.ya?ml$"
)
"""The manager's default `managerFilePatterns`."""
RENOVATE_USES = re.compile(r"^(?P<prefix>\s+(?:-\s+)?uses\s*:\s*)(?P<rest>[^#\s].*)$")
RENOVATE_VERSION = re.compile(
    r"^\s*(?:renovate\s*:\s*)?(?:pin\s+|tag\s*=\s*)?@?"
    r"(?P<version>(?:[\w-]*[-/])?v?\d+(?:\.\d+(?:\.\d+)?)?(?:-[a-zA-Z0-9.]+)?)"
)
REFERENCE = re.compile(r"(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)(?P<path>/[^@]+)?@(?P<ref>.+)")


class Release(NamedTuple):
    """A release of an action's repository, and the version that it replaces."""

    commit: str
    version: str
    before: str


Releases = Mapping[str, Release]
"""By `owner/name`."""


def dependabot(root: Path, directories: list[str], releases: Releases) -> set[str]:
    """Bumps as one grouped pull request over these directories; returns the files it changes.

    Each dependency in turn. A `uses:` that the YAML has is looked for in the text. The comment
    after it changes where it ends in the version that the old commit has; the version is written
    without the tag's v, so what stands before it stays.
    """
    changed = set()
    for path in dependabot_files(root, directories):
        text = before = path.read_bytes().decode()
        for declaration in dict.fromkeys(_uses(yaml.safe_load(text))):
            found = REFERENCE.fullmatch(declaration)
            release = found and releases.get(f"{found['owner']}/{found['repo']}")
            if release:
                text = _dependabot_update(text, declaration, release)
        if text != before:
            path.write_bytes(text.encode())
            changed.add(path.relative_to(root).as_posix())
    return changed


def dependabot_files(root: Path, directories: list[str]) -> Iterator[Path]:
    """`/` is .github/workflows and an action in the root; another directory is the files in it."""
    for directory in directories:
        folder = root / directory.strip("/")
        if directory == "/":
            yield from (p for n in ("action.yml", "action.yaml") if (p := folder / n).is_file())
            folder = root / ".github/workflows"
        names = [p for p in folder.iterdir() if p.is_file() and p.suffix in (".yml", ".yaml")]
        assert names, f"{directory}: dependency file not found"
        yield from sorted(names)


def _uses(node: Any) -> Iterator[str]:
    """Every `uses` below jobs or runs; beside steps nothing else is looked at."""
    if isinstance(node, dict):
        node = node.get("jobs", node.get("runs", node))
        if "uses" in node:
            yield node["uses"]
        elif "steps" in node:
            yield from _uses(node["steps"])
        else:
            for each in node.values():
                yield from _uses(each)
    elif isinstance(node, list):
        for each in node:
            yield from _uses(each)


def _dependabot_update(text: str, declaration: str, release: Release) -> str:
    new = re.sub("@.*", f"@{release.commit}", declaration)
    was, now = release.before.removeprefix("v"), release.version.removeprefix("v")

    def replace(found: re.Match[str]) -> str:
        comment = found["comment"] or ""
        if comment.rstrip().endswith(was):
            comment = comment.rstrip().replace(was, now)
        elif not comment:
            comment = f" # {release.version}"
        return found["before"] + new + comment

    return re.sub(
        rf"(?P<before>(?:^|[ \t{{,])uses[ \t]*:[ \t]*['\"]?){re.escape(declaration)}"
        r"(?P<comment>[ \t]+#[^\r\n]*)?(?=[ \t\r\n]|$)",
        replace,
        text,
        flags=re.MULTILINE,
    )


def renovate(root: Path, releases: Releases) -> set[str]:
    """Bumps over all files of the manager; returns the files it changes.

    A line's reference and the version in its comment are one text that is replaced.
    """
    changed = set()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if not (path.is_file() and RENOVATE_FILES.search(name)):
            continue
        text = path.read_bytes().decode()
        new = "\n".join(_renovate_line(line, releases) for line in text.split("\n"))
        if new != text:
            path.write_bytes(new.encode())
            changed.add(name)
    return changed


def _renovate_line(line: str, releases: Releases) -> str:
    match = RENOVATE_USES.match(line)
    if not match:
        return line
    value, hash_sign, comment = match["rest"].partition(" #")
    reference = REFERENCE.fullmatch(value.strip())
    release = reference and releases.get(f"{reference['owner']}/{reference['repo']}")
    version = RENOVATE_VERSION.match(comment)
    if not reference or not release or not version or version["version"] != release.before:
        return line
    new = value.replace(reference["ref"], release.commit)
    return match["prefix"] + new + hash_sign + f" {release.version}" + comment[version.end() :]

"""Bots that bump actions: what they are told, and whether that keeps lock and files in step.

A bot's file is the repository's own, since it speaks of other things as well: wfgen writes a first
one, and looks at what there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from wfgen.errors import WfgenError
from wfgen.generate.render import RenderedFile
from wfgen.generate.templating import Templates
from wfgen.locks import pins
from wfgen.text.reader import values

DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")
# https://docs.renovatebot.com/configuration-options/
RENOVATE = (
    "renovate.json", "renovate.json5", ".github/renovate.json", ".github/renovate.json5",
    ".renovaterc", ".renovaterc.json", ".renovaterc.json5",
)  # fmt: skip
FILES = {"dependabot": DEPENDABOT, "renovate": RENOVATE}
"""The bots, and where each looks for its file; the first is written."""


@dataclass(frozen=True, slots=True)
class Bumped:
    """Generated YAML that bots look into, and folders of composite actions that use others'."""

    files: tuple[str, ...]
    folders: tuple[str, ...]

    @classmethod
    def of(cls, files: Iterable[RenderedFile]) -> Bumped:
        seen = [f for f in files if f.path.startswith(".github/") and f.path.endswith(".yml")]
        using = [f.path for f in seen if "/actions/" in f.path and any(pins.in_text(f.text))]
        folders = [f"/{path.rpartition('/')[0]}" for path in using]
        return cls(tuple(sorted(f.path for f in seen)), tuple(sorted(folders)))


def present(root: Path, bot: str) -> str | None:
    """The bot's file in the repository. Raises `WfgenError` where there is no such bot."""
    if bot not in FILES:
        raise WfgenError(f"no bot {bot}; expected {' or '.join(FILES)}")
    return next((path for path in FILES[bot] if (root / path).exists()), None)


def first(root: Path, bot: str, bumped: Bumped) -> str:
    """The text of a first file for the bot."""
    if bot == "renovate":
        settings = {
            "$schema": "https://docs.renovatebot.com/renovate-schema.json",
            "extends": ["config:recommended"],
            "packageRules": _rules(bumped),
        }
        return json.dumps(settings, indent=2) + "\n"
    return Templates(root, {}, True).render("bots/dependabot.yml", {"folders": bumped.folders})


def notes(root: Path, files: Iterable[RenderedFile]) -> list[str]:
    """What the bots that there are will leave out of step."""
    there = [(bot, path) for bot in FILES if (path := present(root, bot))]
    bumped = Bumped.of(files) if there else Bumped((), ())
    return [
        f"{path} {gap}; see: wfgen pins bot {bot}"
        for bot, path in there
        for gap in gaps(root, path, bumped)
    ]


def gaps(root: Path, path: str, bumped: Bumped) -> list[str]:
    """Why a bot that goes by this file leaves lock and generated files out of step."""
    try:
        text = (root / path).read_text("utf-8")
        if path in DEPENDABOT:
            return _dependabot_gaps(values(text), bumped)
        return _renovate_gaps(json.loads(text), bumped)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return ["cannot be read"]
    except json.JSONDecodeError:
        return ["is no plain JSON, so it was not looked at"]


def _dependabot_gaps(settings: Any, bumped: Bumped) -> list[str]:
    entries = [
        entry
        for entry in _list(settings, "updates")
        if isinstance(entry, dict) and entry.get("package-ecosystem") == "github-actions"
    ]
    if not entries:
        return ["has no entry for github-actions"]
    wanted = ["/", *bumped.folders]
    misses = [
        ([folder for folder in wanted if not _looks_into(entry, folder)], entry)
        for entry in entries
    ]
    missing, entry = min(misses, key=lambda each: len(each[0]))
    if missing:
        return [f"has no one entry for github-actions that looks into {' and '.join(wanted)}"]
    if len(wanted) > 1 and not _groups_all(entry):
        return ["makes a pull request per folder, for want of a group of all actions"]
    return []


def _looks_into(entry: dict[str, Any], folder: str) -> bool:
    named = [entry.get("directory"), *_list(entry, "directories")]
    patterns = [f"/{str(name).strip('/')}" for name in named if name]
    # fnmatch's * takes slashes too; that of Dependabot does so only where there are two.
    return any(
        fnmatchcase(folder, pattern)
        and ("**" in pattern or pattern.count("/") == folder.count("/"))
        for pattern in patterns
    )


def _groups_all(entry: dict[str, Any]) -> bool:
    groups = entry.get("groups")
    return isinstance(groups, dict) and any(
        "*" in _list(group, "patterns")
        and not _list(group, "exclude-patterns")
        and "update-types" not in group
        for group in groups.values()
        if isinstance(group, dict) and group.get("applies-to") != "security-updates"
    )


def _renovate_gaps(settings: Any, bumped: Bumped) -> list[str]:
    (wanted,) = [rule for rule in _rules(bumped) if "enabled" in rule]
    for rule in _list(settings, "packageRules"):
        if isinstance(rule, dict) and rule.get("enabled") is False:
            both = [(_list(rule, key), wanted[key]) for key in ("matchFileNames", "matchDepTypes")]
            if all(set(has) >= set(wants) for has, wants in both):
                return []
    return ["lets Renovate bump runners and versions in generated files, which are not in the lock"]


def _rules(bumped: Bumped) -> list[dict[str, Any]]:
    """Renovate bumps each action in all files at once by itself; more than actions it must not.

    https://docs.renovatebot.com/modules/manager/github-actions/
    """
    return [
        {
            "description": "The lock of actions and all files made from it, in one pull request",
            "matchManagers": ["github-actions"],
            "matchDepTypes": ["action", "workflow"],
            "groupName": "actions",
            "minimumReleaseAge": "7 days",
        },
        {
            "description": "wfgen writes these: but for actions, change the specs or templates",
            "matchFileNames": list(bumped.files),
            "matchDepTypes": ["container", "docker", "github-runner", "service", "uses-with"],
            "enabled": False,
        },
    ]


def _list(mapping: Any, key: str) -> list[Any]:
    """The list under a key; of a text, the list of it alone."""
    value = mapping.get(key) if isinstance(mapping, dict) else None
    return value if isinstance(value, list) else [value] if value else []

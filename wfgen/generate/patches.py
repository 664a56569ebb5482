"""Applies the patches of a project's spec to rendered texts.

All patches of a file apply to the rendered text, not to each other's result: their order matters
only if two insert at one position. A patch that does not apply is a diagnostic at its line.
`checks.safety` checks the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from wfgen.errors import InvalidSpecs, WfgenError
from wfgen.findings import Diagnostic, did_you_mean
from wfgen.generate.patch_edits import Work, shown
from wfgen.generate.patch_values import Refusal
from wfgen.locks import pins
from wfgen.locks.pins import Pin
from wfgen.specs.kinds.patch import Patch
from wfgen.specs.references import Project
from wfgen.text.editor import Document, Edit, Origin, Unfit
from wfgen.text.positions import Route

CLASHING = ("replace", "remove")
_VERBS = {
    "add": "adds",
    "after": "inserts at",
    "before": "inserts at",
    "remove": "removes",
    "replace": "replaces",
}


@dataclass(frozen=True, slots=True)
class Patched:
    """A patched text, and the origin of each of its lines."""

    text: str
    origins: tuple[Origin, ...]


class Patches:
    """The patches of a project; `locked` is its lock of actions."""

    def __init__(self, project: Project, locked: Mapping[str, Pin]) -> None:
        self.project_file = project.file
        self.locked = locked
        self.all = project.spec.patches
        self.platform = project.spec.platform
        self.by_file: dict[str, dict[str, Patch]] = {}
        for name, patch in self.all.items():
            self.by_file.setdefault(patch.file, {})[name] = patch

    def apply_all(self, texts: Mapping[str, str]) -> dict[str, str]:
        """All generated texts by path, patched. Raises `InvalidSpecs` with all problems."""
        patched = dict(texts)
        problems = []
        for path, text in texts.items():
            if path in self.by_file and path.endswith(".yml"):
                result, new_problems = self.apply(path, text)
                patched[path] = result.text
                problems += new_problems
        problems += self._unknown_files({path for path in texts if path.endswith(".yml")})
        if problems:
            raise InvalidSpecs(problems)
        return patched

    def _unknown_files(self, paths: set[str]) -> Iterator[Diagnostic]:
        """Patches of files that are not generated workflows or actions."""
        for path, patches in self.by_file.items():
            for name in patches if path not in paths else ():
                if path == pins.LOCK:
                    message, hint = f"{path} is the lock, which has no patches", "edit the file"
                else:
                    message = f"{path} is not a generated workflow or action"
                    hint = did_you_mean(path, paths, "to list them, run `wfgen list`")
                yield self.at((name, "file"), message, "patch-target", hint)

    def at(self, route: Route, message: str, rule: str, hint: str = "") -> Diagnostic:
        """A diagnostic within `patches`."""
        return self.project_file.at(("patches", *route), message, rule, hint, key=len(route) == 1)

    def apply(
        self, path: str, text: str, names: list[str] | None = None
    ) -> tuple[Patched, list[Diagnostic]]:
        """A file's text with its patches, or only those of `names`; and their problems."""
        try:
            document = Document(text.rstrip("\n") + "\n")
        except yaml.YAMLError as error:
            why = " ".join(str(error).split())
            raise WfgenError(f"{path}: invalid YAML before patches: {why} [template]") from error
        problems: list[Diagnostic] = []
        edits: list[Edit] = []
        done: dict[str, Route] = {}
        for name, patch in self.by_file.get(path, {}).items():
            if names is not None and name not in names:
                continue
            work = Work(document, path, name, patch, self.locked)
            try:
                new = work.edits()
                _refuse_clash(self.all, done, name, work.route)
                _refuse_overlap(edits, new)
                edits += new
                done[name] = work.route
            except Refusal as refusal:
                route, rule = (name, *refusal.route), refusal.rule
                problems.append(self.at(route, refusal.message, rule, refusal.hint))
            except Unfit as unfit:
                route = (name, work.patch.way)
                problems.append(self.at(route, unfit.message, "patch-target", unfit.hint))
        text, origins = document.apply(edits)
        return Patched(text, tuple(origins)), problems


def _refuse_clash(
    patches: Mapping[str, Patch], done: dict[str, Route], name: str, route: Route
) -> None:
    """Raises `Refusal` if an earlier patch replaces, removes or adds the same, or a part of it."""
    for other, theirs in done.items():
        first, second = patches[other].way, patches[name].way
        if route == theirs and ({first, second} & set(CLASHING) or first == second == "add"):
            conflict = f"patch `{other}` also {_VERBS[first]} {shown(theirs)}"
        elif route[: len(theirs)] == theirs and first in CLASHING:
            conflict = (
                f"patch `{other}` {_VERBS[first]} {shown(theirs)}, which contains {shown(route)}"
            )
        elif theirs[: len(route)] == route and second in CLASHING:
            conflict = f"patch `{other}` changes {shown(theirs)}, which this patch {_VERBS[second]}"
        else:
            continue
        raise Refusal((), conflict, "combine both patches, or remove one", "patch-clash")


def _refuse_overlap(edits: list[Edit], new_edits: list[Edit]) -> None:
    for new in new_edits:
        for edit in edits:
            if max(new.start, edit.start) < min(new.end, edit.end):
                conflict = f"patch `{edit.author}` changes the same lines"
                raise Refusal((), conflict, "combine both patches", "patch-clash")

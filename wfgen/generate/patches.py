"""The patches of a project's spec, applied to rendered texts.

All patches of a file look at the text that was rendered, not at one another's work: their order
says nothing, except where two insert at one place. What cannot be done as it is said is a
diagnostic at the patch's line. Whether the result is safe, `safety` says.
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
    """A text with its patches, and where each of its lines comes from."""

    text: str
    origins: tuple[Origin, ...]


class Patches:
    """The patches of a project; `locked` is its lock of actions."""

    def __init__(self, project: Project, locked: Mapping[str, Pin]) -> None:
        self.project_file = project.file
        self.locked = locked
        self.all = project.spec.patches
        self.by_file: dict[str, dict[str, Patch]] = {}
        for name, patch in self.all.items():
            self.by_file.setdefault(patch.file, {})[name] = patch

    def apply_all(self, texts: Mapping[str, str]) -> dict[str, str]:
        """All generated texts by path, patched. Raises `InvalidSpecs` with all mistakes found."""
        patched = dict(texts)
        found = []
        for path, text in texts.items():
            if path in self.by_file and path.endswith(".yml"):
                made, problems = self.apply(path, text)
                patched[path] = made.text
                found += problems
        found += self._strangers({path for path in texts if path.endswith(".yml")})
        if found:
            raise InvalidSpecs(found)
        return patched

    def _strangers(self, paths: set[str]) -> Iterator[Diagnostic]:
        """Patches of what is no generated workflow or action."""
        for path, patches in self.by_file.items():
            for name in patches if path not in paths else ():
                if path == pins.LOCK:
                    message, hint = f"{path} is yours and your bot's", "edit it: it is the lock"
                else:
                    message = f"{path} is no workflow or action that wfgen generates here"
                    hint = did_you_mean(path, paths, "they are listed by: wfgen list")
                yield self.at((name, "file"), message, "patch-target", hint)

    def at(self, route: Route, message: str, rule: str, hint: str = "") -> Diagnostic:
        """A diagnostic within `patches`."""
        return self.project_file.at(("patches", *route), message, rule, hint, key=len(route) == 1)

    def apply(
        self, path: str, text: str, names: list[str] | None = None
    ) -> tuple[Patched, list[Diagnostic]]:
        """A file's text with its patches, or with those of `names`; and what cannot be done."""
        try:
            document = Document(text.rstrip("\n") + "\n")
        except yaml.YAMLError as error:
            why = " ".join(str(error).split())
            raise WfgenError(f"{path}, before its patches: no YAML: {why} [template]") from error
        found: list[Diagnostic] = []
        edits: list[Edit] = []
        done: dict[str, Route] = {}
        for name, patch in self.by_file.get(path, {}).items():
            if names is not None and name not in names:
                continue
            work = Work(document, path, name, patch, self.locked)
            try:
                made = work.edits()
                _refuse_clash(self.all, done, name, work.route)
                _refuse_overlap(edits, made)
                edits += made
                done[name] = work.route
            except Refusal as refusal:
                route, rule = (name, *refusal.route), refusal.rule
                found.append(self.at(route, refusal.message, rule, refusal.hint))
            except Unfit as unfit:
                route = (name, work.patch.way)
                found.append(self.at(route, unfit.message, "patch-target", unfit.hint))
        text, origins = document.apply(edits)
        return Patched(text, tuple(origins)), found


def _refuse_clash(
    patches: Mapping[str, Patch], done: dict[str, Route], name: str, route: Route
) -> None:
    """Refuses a patch where another replaces or removes what it is about, or adds the same."""
    for other, theirs in done.items():
        first, second = patches[other].way, patches[name].way
        if route == theirs and ({first, second} & set(CLASHING) or first == second == "add"):
            said = f"patch {other} {_VERBS[first]} {shown(theirs)} as well"
        elif route[: len(theirs)] == theirs and first in CLASHING:
            said = f"patch {other} {_VERBS[first]} {shown(theirs)}, which has {shown(route)} in it"
        elif theirs[: len(route)] == route and second in CLASHING:
            said = (
                f"patch {other} changes {shown(theirs)}, which is in what this one {_VERBS[second]}"
            )
        else:
            continue
        raise Refusal((), said, "make one patch of them, or remove one", "patch-clash")


def _refuse_overlap(edits: list[Edit], made: list[Edit]) -> None:
    for mine in made:
        for edit in edits:
            if max(mine.start, edit.start) < min(mine.end, edit.end):
                said = f"patch {edit.author} changes the same lines"
                raise Refusal((), said, "make one patch of them", "patch-clash")

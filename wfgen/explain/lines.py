"""From a line of a generated file to the template's line, the tags around it and spec fields."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from wfgen.errors import WfgenError
from wfgen.explain.explanation import Explanation, Field, Line, Reason
from wfgen.explain.tracing import Cause, Read, Trace
from wfgen.findings import did_you_mean
from wfgen.generate.description import describe, members
from wfgen.generate.files import files
from wfgen.generate.patches import Patches
from wfgen.generate.plan import PlannedEnvironment, PlannedService, plan
from wfgen.generate.render import RenderedFile, locked_actions, render
from wfgen.generate.templating import Templates, built_in_templates
from wfgen.locks import pins
from wfgen.release_program import names
from wfgen.specs.references import Project, SpecFile
from wfgen.text import header
from wfgen.text.positions import Route, has, locate

_HEADER = 3
"""Lines of a header."""
_PACKAGE = Path(__file__).parents[1]
_KEY = re.compile(r'( *)"([^"]*)":')
_MARK = re.compile("\ue000([0-9]+)\ue001")


def explain(project: Project, place: str) -> Explanation:
    """What made the line at FILE:LINE. Raises `WfgenError` where no spec generates that line."""
    path, number = _parse(project.root.resolve(), place)
    rendered = {file.path: file for file in render(plan(project))}
    if path == pins.LOCK:
        raise WfgenError(f"{path} is the lock of actions: your bot and you edit it, not a spec")
    if path not in rendered:
        hint = did_you_mean(path, rendered, "to list them, run `wfgen list`")
        raise WfgenError(f"{path} is not a file that wfgen generates; {hint}")
    number = _rendered_number(project.root / path, rendered[path], number)
    line = Line(path, number, rendered[path].text.split("\n")[number - 1])
    return Explanation(line, tuple(Reasons(project, rendered[path]).of(number)))


def _parse(root: Path, place: str) -> tuple[str, int]:
    """The path from the repository's root, and the line."""
    name, _, digits = place.rpartition(":")
    if not name or not digits.isdecimal():
        raise WfgenError(f"{place}: expected FILE:LINE, such as .github/workflows/_deploy.yml:12")
    # A relative path is one of the repository, else one of the current folder.
    full = (root / name) if (root / name).exists() else (Path.cwd() / name).absolute()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else name, int(digits)


def _rendered_number(path: Path, file: RenderedFile, number: int) -> int:
    """The number that a line of the file on disk has in the rendered file."""
    rendered = file.text.splitlines()
    on_disk = rendered
    if path.is_file():
        on_disk = path.read_bytes().decode("utf-8", errors="backslashreplace").splitlines()
    if not 1 <= number <= len(on_disk):
        raise WfgenError(f"{file.path} has {len(on_disk)} lines; {number} is not one of them")
    matcher = difflib.SequenceMatcher(None, on_disk, rendered, autojunk=False)
    for start, rendered_start, size in matcher.get_matching_blocks():
        if start < number <= start + size:
            return number - start + rendered_start
    message = f"{file.path}:{number} is not as generated; to see the difference, run `wfgen check`"
    raise WfgenError(f"{message}; to restore the file, run `{header.COMMAND}`")


class Reasons:
    """The reasons for the lines of one file, which is rendered once more with a trace."""

    def __init__(self, project: Project, file: RenderedFile) -> None:
        self.project, self.file = project, file
        self.locked = locked_actions(project.root)
        self.body = file.unpatched or file.text.split("\n", _HEADER)[_HEADER]
        self.context: dict[str, Any] = {}
        self.pieces: list[list[list[Cause]]] = []
        """The pieces of each line of the body, each a list of its causes."""
        for planned in files(plan(project)):
            if planned.path == file.path:
                self.context = planned.context
                templates = Templates(project.root, self.locked, project.spec.self_repository)
                trace = Trace(project)
                text = trace.render(templates, planned.template, self.context)
                if _MARK.sub("", text).rstrip("\n") == self.body.rstrip("\n"):
                    self.pieces = [*_by_line(text, trace.pieces)]

    def of(self, number: int) -> Iterator[Reason]:
        """The reasons for line `number`, from 1, of the rendered file."""
        index: int | None = number - 1 - _HEADER
        if number <= _HEADER:
            yield Reason("the header: written by wfgen, with the specs, the command and digests")
            return
        if not self.context:
            path = _PACKAGE / self.file.path.removeprefix(f"{names.RELEASE_ACTION}/")
            yield Reason("a copy of", self._line(str(path), number - _HEADER))
            return
        if self.file.unpatched:
            patched, _ = Patches(self.project, self.locked).apply(self.file.path, self.body)
            origin = patched.origins[number - 1 - _HEADER]
            index = origin.line
            for name in origin.authors:
                field = self._field(self.project.file, ("patches", name))
                yield Reason("patch", field.line, (field,))
        if index is not None and self.pieces:
            yield from self._of_template(index)
        elif index is not None:
            yield Reason(
                "unknown: the template reads text that it renders; its lines cannot be traced"
            )

    def _of_template(self, index: int) -> Iterator[Reason]:
        pieces = self.pieces[index]
        own, *around = next(causes for causes in pieces if causes[0].role == "template")
        places = {causes[0][1:3] for causes in pieces if causes[0].role == "template"}
        reads = [read for causes in pieces if causes[0][1:3] in places for read in causes[0].reads]
        yield Reason("template", self._line(own.file, own.line), self._fields(reads))
        if "description" in self.context:
            yield self._of_description(index)
        for cause in around:
            fields = self._made_for(*cause.items) or self._fields(cause.reads)
            if fields or cause.role != "with":
                yield Reason(cause.role, self._line(cause.file, cause.line), fields)
        pipeline = self.context.get("pipeline")
        services = pipeline.services if pipeline and pipeline.alone else ()
        if fields := self._made_for(self.context.get("environment"), *services):
            yield Reason("a file for", None, fields)

    def _of_description(self, index: int) -> Reason:
        """A line of JSON: the fields that change its value when only they change."""
        keys: list[str] = []
        indent = 99
        for line in reversed(self.body.split("\n")[: index + 1]):
            if (match := _KEY.match(line)) and len(match[1]) < indent:
                indent = len(match[1])
                keys.insert(0, match[2])
        now = _at(keys, self._descriptions[0][1])
        changing = [read for read, tree in self._descriptions if _at(keys, tree) != now]
        role = f"value `{'.'.join(keys)}`, read as wfgen/release_program/contract.py describes"
        return Reason(role, None, self._fields(changing))

    @cached_property
    def _descriptions(self) -> list[tuple[Any, Any]]:
        """The environment's description, and others with one field changed that it reads."""
        trace = Trace(self.project)
        descriptions: list[tuple[Any, Any]] = [(None, self._description(trace))]
        services = [service.spec.name for service in self.project.services]
        for read in {(file.path, *route): (file, route) for file, route in trace.reads}.values():
            for other in (None, 10**6, services, _Anything("x")):
                with contextlib.suppress(Exception):  # a value that no spec can have
                    changed = self._description(Trace(self.project, (read, other)))
                    descriptions.append((read, changed))
        return descriptions

    def _description(self, trace: Trace) -> Any:
        return json.loads("{" + members(describe(trace.wrap(self.context["environment"]))) + "}")

    def _made_for(self, *values: object) -> tuple[Field, ...]:
        """The fields that name services and environments."""
        fields = []
        for value in values:
            if isinstance(value, PlannedService):
                fields.append(self._field(value.service.file, ("name",)))
            elif isinstance(value, PlannedEnvironment):
                fields.append(self._field(self.project.file, ("environments", value.name)))
        return tuple(fields)

    def _fields(self, reads: Iterable[Read]) -> tuple[Field, ...]:
        """Each field once; of a field and fields in it, only the latter."""
        routes = {(file.path, *route): (file, route) for file, route in reads}
        outer = {route[:end] for route in routes for end in range(1, len(route))}
        return tuple(self._field(*read) for key, read in routes.items() if key not in outer)

    def _field(self, file: SpecFile, route: Route) -> Field:
        number, _ = locate(file.text, route, key=True)
        line = Line(file.path, number, file.text.split("\n")[number - 1])
        return Field(line, ".".join(map(str, route)), has(file.text, route))

    def _line(self, file: str, number: int) -> Line:
        path = Path(file)
        text = path.read_text("utf-8").split("\n")[number - 1]
        if path.is_relative_to(self.project.root):
            return Line(path.relative_to(self.project.root).as_posix(), number, text)
        root = _PACKAGE if path.is_relative_to(_PACKAGE) else built_in_templates()
        return Line(path.relative_to(root.parent).as_posix(), number, text, of_wfgen=True)


class _Anything(str):
    """Equals everything and has every attribute."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __getattr__(self, name: str) -> _Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object) -> _Anything:
        return self

    def __index__(self) -> int:
        return 1


def _at(keys: list[str], tree: Any) -> Any:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else tree
    return tree


def _by_line(text: str, pieces: list[list[Cause]]) -> Iterator[list[list[Cause]]]:
    """The pieces of each line; one that goes on in the next line is one of that as well."""
    last: list[list[Cause]] = []
    for line in text.split("\n"):
        begun = [pieces[int(index)] for index in _MARK.findall(line)]
        yield begun if _MARK.match(line) else [*last, *begun]
        last = begun[-1:] or last

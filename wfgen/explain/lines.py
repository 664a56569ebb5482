"""What made a line of a generated file: a line of a template, patches, and fields of specs."""

import contextlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import islice, zip_longest
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from pydantic import BaseModel

from wfgen.explain.explanation import Line, Reason
from wfgen.generate.files import PlannedFile, files
from wfgen.generate.patches import Patches
from wfgen.generate.plan import plan
from wfgen.generate.render import RenderedFile, locked_actions
from wfgen.generate.templating import Templates
from wfgen.release_program import names as paths
from wfgen.specs.references import Project, SpecFile
from wfgen.text.positions import Route, has

_HEADER, _MOST_FIELDS = 3, 8
_MARK = re.compile("\ue000([0-9a-fA-F]+):([0-9]+)\ue001")  # characters for private use
_PACKAGE = Path(__file__).parents[1]
_SCALARS: dict[Any, Any] = {int: [1, 100_000], bool: [False, True], type(None): [None]}
_Change = tuple[SpecFile, Route, Any]
"""A spec's file, a field, and the spec with another value of the field."""


def explain(project: Project, file: RenderedFile, index: int) -> Iterator[Reason]:
    """What made a line of a file, the nearest cause first; `index` is 0 for the first line."""
    index -= _HEADER
    planned = next((made for made in files(plan(project)) if made.path == file.path), None)
    if index < 0:
        yield Reason("the header: written by wfgen, with the specs, the command and digests")
        return
    if planned is None:
        path = file.path.removeprefix(paths.RELEASE_ACTION)
        yield Reason("a copy of", _line(project, f"{_PACKAGE}{path}", index + 1))
        return
    body, locked = file.text.split("\n", _HEADER)[_HEADER], locked_actions(project.root)
    if file.unpatched:
        body = file.unpatched
        origin = Patches(project, locked).apply(file.path, body)[0].origins[index]
        yield from (_field("patch", project.file, ("patches", name)) for name in origin.authors)
        if origin.line is None:
            return
        index = origin.line
    templates = Templates(project.root, locked)
    if mark := _mark(templates, planned, body, index):
        yield Reason("template", _line(project, bytes.fromhex(mark[1]).decode(), int(mark[2])))
    else:
        yield Reason("unknown: the template reads text that it renders")
    fields = _Search(project, file, body, index).fields()
    yield from (_field("depends on", *field) for field in fields[:_MOST_FIELDS])
    if len(fields) > _MOST_FIELDS:
        yield Reason("and more")
    if not fields:
        yield Reason("no field of a spec: the line is the same for every project")


def _field(role: str, file: SpecFile, route: Route) -> Reason:
    place = file.at(route, "", "", key=True)
    line = Line(file.path, place.position.line, place.source)
    return Reason(role, line, ".".join(map(str, route)), has(file.text, route))


def _line(project: Project, file: str, number: int) -> Line:
    """A line of a template or of a module of wfgen."""
    text = Path(file).read_text("utf-8").split("\n")[number - 1]
    of_wfgen = not Path(file).is_relative_to(project.root)
    root = _PACKAGE.parent if of_wfgen else project.root
    return Line(Path(file).relative_to(root).as_posix(), number, text, of_wfgen)


class _Marks(Extension):
    """Adds the place to each line of text, and each value, of a template."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        file = str(stream.filename).encode().hex()
        for token in stream:
            texts = token.value.splitlines(True) if token.type == "data" else [token.value]
            for line, text in enumerate(texts, token.lineno):
                if token.type in ("data", "variable_begin"):
                    yield Token(line, "data", f"\ue000{file}:{line}\ue001")
                yield Token(line, token.type, text)


def _mark(templates: Templates, file: PlannedFile, body: str, index: int) -> re.Match[str] | None:
    """The mark of the innermost template's line; None if marks change what is rendered."""
    templates.environment = templates.environment.overlay(extensions=[_Marks], bytecode_cache=None)
    text = templates.render(file.template, file.context)
    if _MARK.sub("", text).rstrip("\n") != body.rstrip("\n"):
        return None
    lines = text.split("\n")
    return _MARK.match(lines[index]) or [*_MARK.finditer("\n".join(lines[:index]))][-1]


class _Search:
    """Looks for the fields behind line `index` of a file's `body`, which has no patches."""

    def __init__(self, project: Project, file: RenderedFile, body: str, index: int) -> None:
        self.project, self.file, self.index, self.lines = project, file, index, _with_keys(body)
        locked = locked_actions(project.root)
        self.templates = Templates(project.root, locked)

    def fields(self) -> list[tuple[SpecFile, Route]]:
        """The fields, without those around them; those that change the fewest lines come first."""
        spec, services = self.project.spec, self.project.services
        names = [*spec.environments, *[s.spec.name for s in services if not s.spec.depends_on][:2]]
        specs = [(self.project.file, spec), *((s.file, s.spec) for s in services)]
        specs = [(file, spec) for file, spec in specs if file.path in self.file.sources]
        changes = [[(file, *change) for change in _variants(spec, names)] for file, spec in specs]
        counts: dict[tuple[SpecFile, Route], float] = {}
        for group in zip_longest(*changes):  # mostly one field in each service
            changing = self._changing([change for change in group if change])
            for count, file, route in islice(changing, _MOST_FIELDS + 1):
                counts[file, route] = min(count, counts.get((file, route), math.inf))
        outer = {(file, route[:end]) for file, route in counts for end in range(len(route))}
        return sorted((field for field in counts if field not in outer), key=counts.__getitem__)

    def _changing(self, changes: Sequence[_Change]) -> Iterator[tuple[float, SpecFile, Route]]:
        """Those of the changes that change the line alone, if all together change it."""
        count = math.nan  # stays so if no valid spec has these values
        with contextlib.suppress(Exception):
            count = self._count({file.path: spec for file, _, spec in changes})
        if len(changes) > 1 and count != 0:
            for half in (changes[: len(changes) // 2], changes[len(changes) // 2 :]):
                yield from self._changing(half)
        elif count > 0:
            yield (count, *changes[0][:2])

    def _count(self, specs: dict[str, Any]) -> float:
        """How many lines change with these specs; 0 if this line does not."""
        spec = specs.get(self.project.file.path, self.project.spec)
        services = [replace(s, spec=specs.get(s.file.path, s.spec)) for s in self.project.services]
        changed = files(plan(replace(self.project, spec=spec, services=tuple(services))))
        file = next((file for file in changed if file.path == self.file.path), None)
        if file is None:
            return math.inf
        lines = _with_keys(self.templates.render(file.template, file.context))
        removed = Counter(self.lines) - Counter(lines)  # without lines that only move
        gone = self.lines[self.index] in removed
        return removed.total() if gone and same_line(self.lines, lines, self.index) is None else 0


def same_line(old: Sequence[Any], new: Sequence[Any], index: int) -> int | None:
    """The index in `new` of a line of `old`; None if it is changed or removed."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for start, new_start, size in matcher.get_matching_blocks():
        if start <= index < start + size:
            return new_start + index - start
    return None


def _with_keys(text: str) -> list[tuple[str, ...]]:
    """Each line, with the keys that it is indented below: equal lines of two jobs differ."""
    lines, above = [], dict[int, str]()
    for line in text.rstrip("\n").replace(",\n", "\n").split("\n"):
        indent = len(line) - len(line.lstrip())
        above = {depth: key for depth, key in above.items() if depth < indent}
        above[indent] = line.partition(":")[0]
        lines.append((line, *above.values()))
    return lines


def _variants(part: Any, names: list[str]) -> Iterator[tuple[Route, Any]]:
    """Copies of a part of a spec with another value at a route. They are not validated."""
    if isinstance(part, BaseModel):
        for name, info in type(part).model_fields.items():
            value = getattr(part, name)
            others = [((), v) for v in _values(info.annotation, [f"{value or ''}x", *names])]
            for route, other in [*others, *_variants(value, names)]:
                if route or not isinstance(other, BaseModel) or type(other) is not type(value):
                    yield (name, *route), part.model_copy(update={name: other})
    elif isinstance(part, dict):
        for key, item in part.items():
            yield (key,), {other: kept for other, kept in part.items() if other != key}
            for route, other in _variants(item, names):
                yield (key, *route), {**part, key: other}


def _values(annotation: Any, texts: list[str]) -> list[Any]:
    """Values of a type; `texts` are items of lists and keys of mappings, the first is a text."""
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if kind is Literal:
        return [*arguments]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        required = {n: f.annotation for n, f in kind.model_fields.items() if f.is_required()}
        return [kind.model_construct(**{n: _values(a, texts)[0] for n, a in required.items()})]
    parts = arguments[:1] if kind is Annotated else arguments
    values = [value for part in parts for value in _values(part, texts)]
    if kind is list:
        return [[], *([item] for item in (*values, *texts))]
    if kind is dict:
        return [dict.fromkeys(texts, item) for item in values[-1:]]
    return values or (texts[:1] if kind is str else [*_SCALARS.get(kind, [])])

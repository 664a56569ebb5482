"""What made a line of a generated file: the template's line, and the fields of specs behind it.

The file is rendered once more, with traces. A field counts where the line's own value was made of
it, where a condition around the line asked for it, or where the line is repeated for it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from wfgen.errors import WfgenError
from wfgen.explain import description_lines
from wfgen.explain.explanation import Explanation, Field, Line, Reason
from wfgen.explain.template_tags import open_tags, set_above
from wfgen.explain.tracing import Mark, Read, Spot, Trace, unmarked
from wfgen.findings import did_you_mean
from wfgen.generate.description import describe
from wfgen.generate.files import PlannedFile, files
from wfgen.generate.patches import Patches
from wfgen.generate.plan import Plan, PlannedEnvironment, PlannedService, plan
from wfgen.generate.render import RenderedFile, locked_actions, render
from wfgen.generate.templating import Templates, built_in_templates
from wfgen.locks import pins
from wfgen.release_program import names
from wfgen.specs.references import Project, SpecFile
from wfgen.text import header
from wfgen.text.positions import Route, has, locate

_HEADER = 3
"""Lines of a header."""
_FEW = 8
"""As many fields are named for one reason."""


def explain(project: Project, place: str) -> Explanation:
    """What made a line, given as FILE:LINE. Raises `WfgenError` where there is no such line."""
    path, number = _parse(project, place)
    made = plan(project)
    rendered = {file.path: file for file in render(made)}
    if path == pins.LOCK:
        raise WfgenError(f"{path} is the lock of actions: yours and your bot's, made from no spec")
    if path not in rendered:
        hint = did_you_mean(path, rendered, "they are listed by: wfgen list")
        raise WfgenError(f"{path} is no file that wfgen generates; {hint}")
    file = rendered[path]
    number = _as_rendered(project.root / path, file, number)
    line = Line(path, number, file.text.split("\n")[number - 1])
    return Explanation(line, tuple(_reasons(project, file, number)))


def _parse(project: Project, place: str) -> tuple[str, int]:
    """The path from the repository's root, and the line."""
    name, _, digits = place.rpartition(":")
    if not name or not digits.isdecimal():
        raise WfgenError(f"{place}: expected FILE:LINE, such as .github/workflows/_deploy.yml:12")
    root, path = project.root.resolve(), Path(name)
    if not path.is_absolute() and not (root / path).exists():
        path = Path.cwd() / path  # as the shell completes it, in a folder further down
    full = (root / path).absolute()
    inside = full.relative_to(root).as_posix() if full.is_relative_to(root) else name
    return inside, int(digits)


def _as_rendered(path: Path, file: RenderedFile, number: int) -> int:
    """The line that a line of the file on disk has in the rendered one."""
    try:
        found = path.read_bytes().decode("utf-8", errors="backslashreplace")
    except OSError:
        found = file.text
    theirs, ours = found.splitlines(), file.text.splitlines()
    if not 1 <= number <= len(theirs):
        raise WfgenError(f"{file.path} has {len(theirs)} lines; expected one of them")
    if theirs == ours:
        return number
    import difflib  # only here, where something differs

    for block in difflib.SequenceMatcher(None, theirs, ours, autojunk=False).get_matching_blocks():
        if block.a < number <= block.a + block.size:
            return number - block.a + block.b
    message = f"{file.path}:{number} is not what the specs make; see: wfgen check"
    raise WfgenError(f"{message}, and mend it by: {header.COMMAND}")


def _reasons(project: Project, file: RenderedFile, number: int) -> Iterator[Reason]:
    if number <= _HEADER:
        yield Reason("the header, written by wfgen: the specs, the command, digests")
        return
    if file.path.startswith(f"{names.PROGRAM}/"):
        source = Path(__file__).parents[1] / file.path.removeprefix(f"{names.RELEASE_ACTION}/")
        yield Reason("a copy of", _line(project, Spot(str(source), number - _HEADER)))
        return
    yield from _Traced(project, file).reasons(number - _HEADER)


class _Traced:
    """One file, rendered with traces."""

    def __init__(self, project: Project, file: RenderedFile) -> None:
        self.project, self.file = project, file
        self.trace = Trace(project)
        with self.trace.reading():
            made = plan(project)
            self.planned = self._planned(made)
            self.text, self.marks = self._render(made, self.planned)

    def _planned(self, made: Plan) -> PlannedFile:
        """The file's plan; of what planning read, what is behind its description is kept."""
        (planned,) = [each for each in files(made) if each.path == self.file.path]
        self.trace.reads.clear()
        if "description" in planned.context:
            describe(planned.context["environment"])
        return planned

    def _render(self, made: Plan, planned: PlannedFile) -> tuple[str, list[list[int]]]:
        spec = self.project.spec
        self.locked = locked_actions(self.project.root)
        templates = Templates(self.project.root, self.locked, spec.self_repository)
        return unmarked(self.trace.render(templates, made, planned.template, planned.context))

    def reasons(self, number: int) -> Iterator[Reason]:
        """Why line `number` of the body, from 1, is as it is."""
        if self.file.unpatched:
            patches = Patches(self.project, self.locked)
            patched, _ = patches.apply(self.file.path, self.file.unpatched)
            origin = patched.origins[number - 1]
            for name in origin.authors:
                field = self._field(self.project.file, ("patches", name))
                yield Reason("patch", field.line, (field,))
            if origin.line is None:
                return
            number = origin.line + 1
        yield from self._of_template(number)

    def _of_template(self, number: int) -> Iterator[Reason]:
        indices = self.marks[number - 1]
        if not indices:
            return
        mark = self.trace.marks[indices[0]]
        lines = self.text.split("\n")
        if self.file.path.endswith(".json"):
            yield from self._of_description(lines, number)
        spots = {self.trace.marks[index].spots[0] for index in indices}
        for index, spot in enumerate(mark.spots):
            yield Reason("included by" if index else "template", _line(self.project, spot))
            if not index:
                here = [r for r in self.trace.reads if r.mark - 1 in indices and r.spot in spots]
                if here := [*here, *self._set_above(spot, indices[-1])]:
                    yield self._reason("made of", None, here)
            yield from self._around(mark, index, indices[0])
        yield from self._of_file()

    def _of_file(self) -> Iterator[Reason]:
        """What the whole file is made for, where it is one of several."""
        context = self.planned.context
        fields = tuple(self._made_for(context.get("environment")))
        if "pipeline" in context and context["pipeline"].alone:
            fields += tuple(self._made_for(context["pipeline"].services[0]))
        if fields:
            yield Reason("a file for", None, fields)

    def _of_description(self, lines: list[str], number: int) -> Iterator[Reason]:
        """A line of JSON: its template is the code that describes an environment."""
        keys = description_lines.keys_of(lines, number - 1)
        runs = [list(run) for _, run in itertools.groupby(self.trace.reads, lambda r: r.spot)]
        if keys[:1] == ["services"] and len(keys) > 1:
            files = {service.spec.name: service.file for service in self.project.services}
            own = files[keys[1]]
            runs = [run for run in runs if any(read.file == own for read in run)]
            yield Reason("repeated for", None, (self._field(own, ("name",)),))
        span = description_lines.code_of(keys, {run[0].spot.line for run in runs})
        if span is not None:
            file, first, last = span
            yield Reason("written by", _line(self.project, Spot(file, first)))
            lines_of_code = [Spot(file, line) for line in range(first, last + 1)]
            here = [read for run in runs if run[0].spot in lines_of_code for read in run]
            if here:
                yield self._reason("made of", None, here)

    def _around(self, mark: Mark, depth: int, index: int) -> Iterator[Reason]:
        """The conditions and loops of a template around a line, the innermost first."""
        spot, variables = mark.spots[depth], mark.variables[depth]
        for tag, text, holds in reversed(open_tags(spot)):
            if text.startswith("for "):
                for name in re.findall(r"\w+", text[4:].partition(" in ")[0]):
                    fields = tuple(self._made_for(variables.get(name)))
                    if fields:
                        yield Reason("repeated for", _line(self.project, tag), fields)
            else:
                reads = [*self._latest(tag, index), *self._set_above(tag, index)]
                yield self._reason("only if" if holds else "unless", tag, reads)

    def _latest(self, spot: Spot, index: int) -> list[Read]:
        """What a line of a template read the last time before a mark."""
        reads = [r for r in self.trace.reads if r.spot == spot and r.mark <= index + 1]
        return [read for read in reads if read.mark == reads[-1].mark]

    def _set_above(self, spot: Spot, index: int) -> Iterator[Read]:
        """What was read for the variables of a line that the template has set above it."""
        for place in set_above(spot):
            yield from self._latest(place, index)

    def _made_for(self, value: object) -> Iterator[Field]:
        if isinstance(value, PlannedService):
            yield self._field(value.service.file, ("name",))
        elif isinstance(value, PlannedEnvironment):
            yield self._field(self.project.file, ("environments", value.name))

    def _reason(self, role: str, spot: Spot | None, reads: Iterable[Read]) -> Reason:
        places = {(read.file.path, read.route): read for read in reads}
        leaves = [
            read
            for path, route in places
            for read in [places[path, route]]
            if not any(p == path and r[: len(route)] == route and r != route for p, r in places)
        ]
        fields = tuple(self._field(read.file, read.route) for read in leaves)
        line = _line(self.project, spot) if spot else None
        return Reason(role, line, fields[:_FEW], max(0, len(fields) - _FEW))

    def _field(self, file: SpecFile, route: Route) -> Field:
        line, _ = locate(file.text, route, key=True)
        text = file.text.split("\n")[line - 1]
        name = ".".join(str(part) for part in route)
        return Field(Line(file.path, line, text), name, has(file.text, route))


def _line(project: Project, spot: Spot) -> Line:
    path = Path(spot.file)
    text = path.read_text("utf-8").split("\n")[spot.line - 1]
    if path.is_relative_to(project.root):
        return Line(path.relative_to(project.root).as_posix(), spot.line, text)
    package = Path(__file__).parents[1]
    inside = package if path.is_relative_to(package) else built_in_templates().parent
    prefix = f"{package.name}/" if inside == package else ""
    return Line(prefix + path.relative_to(inside).as_posix(), spot.line, text, of_wfgen=True)

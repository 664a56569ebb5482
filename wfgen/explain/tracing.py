"""A template rendered with traces: which template line made which line, and which fields it read.

Only `wfgen explain` renders so; a render for its own sake is not slowed. Three things are added to
a rendering: a call in front of each piece of a template's text, which leaves a mark in the output;
a look at what is read of the specs' models; and no cached property is kept between two looks, as
it would be read only once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import FrameType
from typing import Any

import jinja2
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from wfgen.generate import description
from wfgen.generate.plan import Plan
from wfgen.generate.templating import Templates
from wfgen.specs.kinds._model import Model
from wfgen.specs.references import Project, SpecFile
from wfgen.text.positions import Route

_MARK = re.compile("\ue000([0-9]+)\ue001")  # characters of private use stand in no template
_CALL = "_wfgen_mark"
_VARIABLE = re.compile(r"l_[0-9]+_(\w+)")
"""How compiled templates name their variables."""


@dataclass(frozen=True)
class Spot:
    """A line of a template, from 1; `file` is the template's file, or a module of wfgen."""

    file: str
    line: int


@dataclass(frozen=True)
class Mark:
    """A piece of output: its line of a template, the lines that include it, the variables there."""

    spots: tuple[Spot, ...]
    """The template's own line first, then that of the template that includes it, and so on."""
    variables: tuple[dict[str, Any], ...]
    """The variables at each spot."""


@dataclass(frozen=True)
class Read:
    """A field of a spec that was read: by which line, and after how many marks."""

    spot: Spot
    mark: int
    file: SpecFile
    route: Route


@dataclass
class Trace:
    """What a rendering left behind."""

    project: Project
    marks: list[Mark] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    environment: jinja2.Environment | None = None
    _routes: dict[int, tuple[SpecFile, Route]] = field(default_factory=dict)

    def render(self, templates: Templates, plan: Plan, name: str, context: dict[str, Any]) -> str:
        """The text with marks in it. The templates are of no other use afterwards."""
        environment = templates.environment.overlay(extensions=[_Marks], bytecode_cache=None)
        self.environment = templates.environment = environment
        environment.globals[_CALL] = self._mark
        kept = (plan, *plan.environments, *context.values())
        get = environment.getattr

        def getattr_anew(holder: Any, attribute: str) -> Any:
            for each in kept:
                _forget(each)
            return get(holder, attribute)

        environment.getattr = getattr_anew  # type: ignore[assignment, method-assign]
        return templates.render(name, context)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Within it, every field that is read of the project's specs is noted."""
        files: list[tuple[Model, SpecFile]] = [(self.project.spec, self.project.file)]
        files += [(service.spec, service.file) for service in self.project.services]
        self._routes = {id(spec): (file, ()) for spec, file in files}
        trace = self

        def read(model: Model, name: str) -> Any:
            value = object.__getattribute__(model, name)
            if id(model) in trace._routes and name in type(model).model_fields:
                trace._note(model, name, value)
            return value

        # For all models at once, as their values are what templates and plan hold already.
        Model.__getattribute__ = read  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            del Model.__getattribute__

    def _note(self, model: Model, name: str, value: Any) -> None:
        file, above = self._routes[id(model)]
        route = (*above, name)
        pairs: Any = ()
        if isinstance(value, dict):
            pairs = value.items()
        elif isinstance(value, list):
            pairs = enumerate(value)
        for part, each in [*pairs]:
            if isinstance(each, Model):
                self._routes[id(each)] = (file, (*route, part))
        if isinstance(value, Model):
            self._routes[id(value)] = (file, route)
        if spot := next(self._spots(), None):
            self.reads.append(Read(spot[0], len(self.marks), file, route))

    def _mark(self, file: str, line: int) -> Markup:
        spots = list(self._spots())
        # The piece's own line is told by the lexer: that of the frame may be an earlier one.
        own = (Spot(file, line), *(spot for spot, _ in spots[1:]))
        self.marks.append(Mark(own, tuple(variables for _, variables in spots)))
        return Markup(f"\ue000{len(self.marks) - 1}\ue001")

    def _spots(self) -> Iterator[tuple[Spot, dict[str, Any]]]:
        """The lines of templates that run, the innermost first, with their variables."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            known = frame.f_globals
            if known.get("environment") is self.environment and self.environment is not None:
                template = self.environment.get_template(known["name"])
                line = template.get_corresponding_lineno(frame.f_lineno)
                found = ((_VARIABLE.fullmatch(name), v) for name, v in frame.f_locals.items())
                yield Spot(str(template.filename), line), {m[1]: v for m, v in found if m}
            elif known.get("__name__") == description.__name__:
                yield Spot(description.__file__, frame.f_lineno), {}
            frame = frame.f_back


class _Marks(Extension):
    """Puts a call in front of each line of text in a template, and of each value."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for token in stream:
            if token.type == "variable_begin":
                yield from _call(stream, token.lineno)
                yield token
            elif token.type == "data":
                for offset, piece in enumerate(str(token.value).splitlines(keepends=True)):
                    yield from _call(stream, token.lineno + offset)
                    yield Token(token.lineno + offset, "data", piece)
            else:
                yield token


def _call(stream: TokenStream, line: int) -> Iterator[Token]:
    """The tokens of a call that leaves a mark."""
    for kind, value in (
        ("variable_begin", "#{{"),
        ("name", _CALL),
        ("lparen", "("),
        ("string", stream.filename),
        ("comma", ","),
        ("integer", line),
        ("rparen", ")"),
        ("variable_end", "}}#"),
    ):
        yield Token(line, kind, value)  # type: ignore[arg-type]


def _forget(holder: Any) -> None:
    """Takes away what cached properties have kept."""
    for name, attribute in vars(type(holder)).items():
        if isinstance(attribute, cached_property):
            vars(holder).pop(name, None)


def unmarked(text: str) -> tuple[str, list[list[int]]]:
    """The text without marks; and of each line, the marks in it, in order.

    A line without any, such as the second of a value, has the last one before it.
    """
    found: list[list[int]] = []
    last: list[int] = []
    for line in text.split("\n"):
        marks = [int(number) for number in _MARK.findall(line)]
        found.append(marks or last)
        last = marks[-1:] or last
    return _MARK.sub("", text), found

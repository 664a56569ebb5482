"""One render of a template that records what each piece of its output depends on.

Calls are added to the compiled template, and its values are wrapped. Other renders do neither.
"""

from __future__ import annotations

import inspect
import itertools
import types
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from jinja2 import BytecodeCache, nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator
from markupsafe import Markup

from wfgen.generate.templating import Templates
from wfgen.specs.references import Project, SpecFile
from wfgen.text.positions import Route

_ROLES: dict[type, str] = {
    nodes.If: "only if", nodes.For: "repeated for", nodes.With: "with", nodes.Include: "included by"
}  # fmt: skip

Read = tuple[SpecFile, Route]
"""A field of a spec that was read."""


class Cause(NamedTuple):
    """A line of a template that output depends on: how, where, and what it read."""

    role: str
    file: str
    line: int
    reads: list[Read]
    items: list[Any]
    """Of a loop, the values of its variables."""


class Trace:
    """What a render records. `changed` gives a field another value than its spec has."""

    def __init__(self, project: Project, changed: tuple[Read, Any] | None = None) -> None:
        self.changed = changed
        self.reads: list[Read] = []
        """What was read since the last piece or tag began."""
        self.pieces: list[list[Cause]] = []
        """The causes of each piece: its own line, the tags around it, what includes it."""
        self._includes: list[list[Cause]] = [[]]
        spec, file = project.spec, project.file
        self._models: dict[int, Read] = {id(spec): (file, ())}
        self._models |= {id(e): (file, ("environments", n)) for n, e in spec.environments.items()}
        self._models |= {id(service.spec): (service.file, ()) for service in project.services}

    def render(self, templates: Templates, name: str, context: dict[str, Any]) -> str:
        """The text with U+E000, an index, U+E001 before each piece; ends the use of `templates`."""
        environment = templates.environment.overlay(bytecode_cache=_COMPILED)
        environment.code_generator_class = _Calls
        environment.globals.update(_piece=self._piece, _reads=self._new_reads)
        templates.environment = environment
        return templates.render(name, self.wrap(context))

    def _new_reads(self, *variables: Any) -> list[Read]:
        """Where to record what is read from now on, with what was read for these variables."""
        self.reads = [read for reads in variables if isinstance(reads, list) for read in reads]
        return self.reads

    def _piece(self, file: str, causes: list[tuple[str, int, Any, list[Any]]]) -> Markup:
        """Called before each line of text, value and tag; without causes, after an include."""
        if not causes:
            self._includes.pop()
            return Markup()
        known = [cause for cause in causes if isinstance(cause[2], list)]  # not so in a block
        self.pieces.append([Cause(cause[0], file, *cause[1:]) for cause in known])
        self.pieces[-1] += self._includes[-1]
        if causes[0][0] == "included by":
            self._includes.append(self.pieces[-1])
        return Markup(f"\ue000{len(self.pieces) - 1}\ue001")

    def wrap(self, value: Any, file: SpecFile | None = None, route: Route = ()) -> Any:
        """The value; what is read of the specs through it is recorded."""
        if isinstance(value, dict):
            return {key: self.wrap(inner, file, (*route, key)) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.wrap(item, file, (*route, i)) for i, item in enumerate(value))
        if type(value) is _Traced or not type(value).__module__.startswith("wfgen."):
            return value
        return _Traced(self, value, *self._models.get(id(value), (file, route)))


class _Traced:
    """A stand-in for an object: its attributes are wrapped, and its code reads through them."""

    __slots__ = ("_traced",)

    def __init__(self, trace: Trace, value: Any, file: SpecFile | None, route: Route) -> None:
        self._traced = trace, value, file, route

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._traced[1])

    def __getattr__(self, name: str) -> Any:
        trace, value, file, route = self._traced
        if file is not None and name in type(value).model_fields:
            route = (*route, name)
            trace.reads.append((file, route))
            if trace.changed and trace.changed[0] == (file, route):
                return trace.changed[1]
            return trace.wrap(getattr(value, name), file, route)
        attribute = inspect.getattr_static(type(value), name, None)
        if isinstance(attribute, property):
            return attribute.__get__(self)
        if isinstance(attribute, cached_property):
            return attribute.func(self)
        if isinstance(attribute, types.FunctionType):
            return types.MethodType(attribute, self)
        return trace.wrap(getattr(value, name))


class _Compiled(BytecodeCache):
    """Compiled templates with the calls, for all traces of this process."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], types.CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


class _Calls(CodeGenerator):
    """Adds the calls to a template. What a tag reads is in a variable of the template."""

    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:  # noqa: N802 - Jinja's
        self.count = itertools.count()
        node.body = self._with_calls(node.body, ())
        node.set_lineno(1).set_environment(self.environment)
        super().visit_Template(node, frame)

    def _with_calls(self, body: list[Any], around: tuple[nodes.Tuple, ...]) -> list[Any]:
        calls = [self._of_text if isinstance(node, nodes.Output) else self._of_tag for node in body]
        return [added for node, add in zip(body, calls, strict=True) for added in add(node, around)]

    def _of_text(self, node: nodes.Output, around: tuple[nodes.Tuple, ...]) -> Iterator[nodes.Node]:
        for part in node.nodes:
            text = part.data.splitlines(True) if isinstance(part, nodes.TemplateData) else []
            pieces: list[Any] = [nodes.TemplateData(line) for line in text] or [part]
            for line, piece in enumerate(pieces, part.lineno):
                yield self._piece(_cause("template", line, _reads(piece)), *around)
                yield nodes.Output([piece])

    def _of_tag(self, node: Any, around: tuple[nodes.Tuple, ...]) -> Iterator[nodes.Node]:
        name, role = f"_reads_{next(self.count)}", _ROLES.get(type(node), "tag")
        reads, branches = nodes.Name(name, "load"), getattr(node, "elif_", [])
        read = [*node.iter_child_nodes(exclude=("target", "targets"))]
        read = [child for child in read if isinstance(child, nodes.Expr)]
        targets = _names(getattr(node, "target", None), *getattr(node, "targets", ()))
        items = [nodes.Name(target, "load") for target in targets]
        yield _assign(name, _reads(*read, *(branch.test for branch in branches)))
        yield self._piece(_cause(role, node.lineno, reads), *around)
        for holder, part in ((node, "body"), *((b, "body") for b in branches), (node, "else_")):
            if body := getattr(holder, part, None):
                how = "unless" if part == "else_" else role
                tag = (_cause(how, holder.lineno, reads, *items),) if role != "tag" else ()
                setattr(holder, part, self._with_calls(body, (*tag, *around)))
        if isinstance(node, nodes.For | nodes.With):
            node.body[:0] = [_assign(f"_reads_of_{name}", nodes.Const(None)) for name in targets]
        if isinstance(node, nodes.For):
            node.iter = nodes.Filter(node.iter, "list", [], [], None, None)  # read before the loop
            node.body.append(_assign(f"{name}_end", _reads()))
        yield node
        if isinstance(node, nodes.Include):
            yield self._piece()
        elif isinstance(node, nodes.Assign):
            yield from (_assign(f"_reads_of_{name}", reads) for name in targets)

    def _piece(self, *causes: nodes.Tuple) -> nodes.Output:
        file = nodes.Const(str(self.filename))
        return nodes.Output([_call("_piece", file, nodes.List([*causes]))])


def _cause(role: str, line: int, reads: nodes.Expr, *items: nodes.Expr) -> nodes.Tuple:
    given = [nodes.Const(role), nodes.Const(line), reads, nodes.List([*items])]
    return nodes.Tuple(given, "load")


def _call(name: str, *given: nodes.Expr) -> nodes.Call:
    return nodes.Call(nodes.Name(name, "load"), [*given], [], None, None)


def _assign(name: str, value: nodes.Expr) -> nodes.Assign:
    return nodes.Assign(nodes.Name(name, "store"), value)


def _reads(*used: nodes.Expr) -> nodes.Call:
    """A list for what is read next; begins with what was read for the variables used."""
    return _call("_reads", *(nodes.Name(f"_reads_of_{name}", "load") for name in _names(*used)))


def _names(*expressions: nodes.Expr | None) -> list[str]:
    used = nodes.Output([expression for expression in expressions if expression])
    return [name.name for name in used.find_all(nodes.Name)]

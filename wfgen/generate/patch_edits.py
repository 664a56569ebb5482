"""One patch of one rendered text: finds its target and derives the edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from wfgen.findings import did_you_mean
from wfgen.generate.patch_values import Refusal, permission, styled
from wfgen.locks.pins import Pin
from wfgen.release_program import names
from wfgen.specs.kinds.patch import Patch
from wfgen.text.editor import Document, Edit, Place, Unfit
from wfgen.text.positions import Route
from wfgen.text.quoting import entry, flow, items


class Work:
    """One patch of one document."""

    def __init__(
        self, document: Document, path: str, name: str, patch: Patch, locked: Mapping[str, Pin]
    ) -> None:
        self.document, self.name, self.patch, self.locked = document, name, patch, locked
        self.path = path
        self.workflow = path.startswith(f"{names.WORKFLOWS}/")
        self.route: Route = ()
        """The target of the patch."""

    def edits(self) -> list[Edit]:
        """The edits of the patch. Raises `Refusal` or `Unfit`."""
        patch = self.patch
        around = self._job()
        if patch.way == "add" and not patch.key:
            return [self._add_job()]
        place = self._step(around) if patch.step else around
        if patch.key:
            if patch.way == "add":
                return [self._add(place)]
            place = self._key(place)
        assert place is not None
        self.route = place.route
        if patch.way == "remove":
            return self.document.remove(
                place, [f"{self._comments()[0]}: removed", *self._waived()], self.name
            )
        if patch.way == "replace":
            return [self._replace(place)]
        return self._insert(place)

    def _job(self) -> Place | None:
        """The job of the patch, or `runs` of an action; None for the top level of the file."""
        patch = self.patch
        if patch.job is None:
            if patch.step and self.workflow:
                raise Refusal(("step",), "steps of a workflow need a job", "add `job`")
            return self._entry(("runs",), "step", "") if patch.step else None
        if not self.workflow:
            raise Refusal(("job",), f"{self.path} is an action and has no jobs", "remove `job`")
        jobs = self._entry(("jobs",), "job", "")
        new = patch.way == "add" and not patch.key
        place = self.document.find(("jobs", patch.job))
        if new and place is not None:
            raise Refusal(("job",), f"job `{patch.job}` already exists", "choose another id")
        if place is None and not new:
            known = [key.value for key, _ in jobs.node.value]
            hint = did_you_mean(patch.job, known, "see the jobs in the file")
            raise Refusal(("job",), f"{self.path} has no job `{patch.job}`", hint)
        return place

    def _entry(self, route: Route, field: str, hint: str) -> Place:
        place = self.document.find(route)
        if place is None:
            raise Refusal((field,), f"{self.path} has no {shown(route)}", hint)
        return place

    def _step(self, around: Place | None) -> Place:
        """The step with this id, else with this name."""
        assert around is not None
        steps = self._entry(
            (*around.route, "steps"), "step", "the job calls a workflow: patch that workflow"
        )
        known: list[str] = []
        for field in ("id", "name"):
            names = [_scalar(step, field) for step in steps.node.value]
            known += filter(None, names)
            matches = [index for index, name in enumerate(names) if name == self.patch.step]
            if len(matches) > 1:
                message = f"{len(matches)} steps have the {field} `{self.patch.step}`"
                raise Refusal(("step",), message, "replace the job, or change the template")
            if matches:
                place = self.document.find((*steps.route, matches[0]))
                assert place is not None
                return place
        where = f"job `{self.patch.job}`" if self.patch.job else self.path
        hint = did_you_mean(str(self.patch.step), known, "use the id or the name of a step")
        raise Refusal(("step",), f"{where} has no step `{self.patch.step}`", hint)

    def _key(self, around: Place | None) -> Place:
        key = str(self.patch.key)
        base = around.route if around else ()
        place = self.document.find((*base, *key.split(".")))
        if place is None:
            parent = self.document.find((*base, *key.split(".")[:-1])) if "." in key else around
            known = _keys(parent.node if parent else self.document.root)
            raise Refusal(
                ("key",),
                f"{shown(base)} has no `{key}`",
                did_you_mean(key.rpartition(".")[2], known),
            )
        return place

    def _add(self, around: Place | None) -> Edit:
        """Adds a key at the end of its mapping."""
        base = around.route if around else ()
        *outer, key = str(self.patch.key).split(".")
        self.route = (*base, *outer, key)
        if self.document.find(self.route) is not None:
            message = f"{shown(base)} already has `{self.patch.key}`"
            raise Refusal(("key",), message, "use `replace`")
        parent = self.document.find((*base, *outer)) if outer else around
        if parent is None and outer:
            missing = ".".join(outer)
            raise Refusal(
                ("key",), f"{shown(base)} has no `{missing}`", f"add `{missing}` as a whole"
            )
        column = self.document.column_in(parent)
        if not isinstance((parent.node if parent else self.document.root), yaml.MappingNode):
            raise Refusal(("key",), f"`{'.'.join(outer)}` is a list", "use `before` or `after`")
        value = self._value(self.patch.add, ("add",), key)
        value = permission(value, self.name) if outer[-1:] == ["permissions"] else value
        lines = [*_indented(self._comments(), column), *entry(key, value, column)]
        return self.document.append(parent, lines, self.name)

    def _add_job(self) -> Edit:
        job = str(self.patch.job)
        self.route = ("jobs", job)
        jobs = self.document.find(("jobs",))
        column = self.document.column_in(jobs)
        value = self._value(self._mapping(self.patch.add, ("add",)), ("add",))
        lines = [*_indented(self._comments(), column), *entry(job, value, column)]
        return self.document.append(jobs, ["", *lines], self.name)

    def _replace(self, place: Place) -> Edit:
        value = self.patch.replace
        last = place.route[-1]
        if not self.patch.key:
            self._mapping(value, ("replace",))
        if isinstance(last, int):
            lines = items([self._value(value, ("replace",))], place.column)
        else:
            value = self._value(value, ("replace",), last)
            value = (
                permission(value, self.name) if place.route[-2:-1] == ("permissions",) else value
            )
            lines = entry(last, value, place.column)
        return self.document.replace(place, self._comments(), lines, self.name)

    def _insert(self, place: Place) -> list[Edit]:
        """Inserts steps before or after a step, or items in a list."""
        way = self.patch.way
        values = getattr(self.patch, way)
        if not self.patch.key:
            for index, value in enumerate(values):
                self._mapping(value, (way, index))
        values = [self._value(value, (way, index)) for index, value in enumerate(values)]
        if not self.patch.key:
            lines = [*_indented(self._comments(), place.column), *items(values, place.column)]
            insert = self.document.before if way == "before" else self.document.after
            return [insert(place, lines, self.name)]
        node = place.node
        if not isinstance(node, yaml.SequenceNode):
            raise Refusal(
                ("key",),
                f"`{self.patch.key}` is not a list",
                "use `replace`, or `add` with a key in it",
            )
        if not node.value:
            raise Unfit(f"`{self.patch.key}` is empty", "use `replace`")
        if node.flow_style:
            entries = ", ".join(flow(value) for value in values)
            heading = _indented(self._comments(), place.column)
            # Above the key's comments, which would otherwise seem to be the patch's.
            return [
                self.document.before(place, heading, self.name),
                self.document.extend(place, entries, self.name, front=way == "before"),
            ]
        edge = self.document.find((*place.route, 0 if way == "before" else len(node.value) - 1))
        assert edge is not None
        lines = [*_indented(self._comments(), edge.column), *items(values, edge.column)]
        insert = self.document.before if way == "before" else self.document.after
        return [insert(edge, lines, self.name)]

    def _comments(self) -> list[str]:
        """Comments in the generated file: the patch's name, and the rules that it waives."""
        return [f"# patch {self.name}", *self._waived()]

    def _waived(self) -> list[str]:
        return [f"# waives {rule}: {reason}" for rule, reason in self.patch.waive.items()]

    def _value(self, value: Any, route: Route, key: str = "") -> Any:
        return styled(value, route, key, self.name, self.locked)

    def _mapping(self, value: Any, route: Route) -> Any:
        if isinstance(value, dict) and value:
            return value
        what = (
            "a step"
            if route[0] != "add" and (self.patch.step or route[0] != "replace")
            else "a job"
        )
        raise Refusal(route, f"expected {what}, as a mapping", "", "patch-value")


def _indented(lines: list[str], column: int) -> list[str]:
    return [" " * column + line for line in lines]


def _scalar(node: Any, key: str) -> str:
    """The text at a key of a mapping; "" if there is none."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((v.value for k, v in pairs if k.value == key and isinstance(v.value, str)), "")


def _keys(node: Any) -> list[str]:
    return [key.value for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []


def shown(route: Route) -> str:
    """A route in messages, such as jobs.plan.steps[2].with, in backticks."""
    text = ""
    for part in route:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return f"`{text}`" if text else "the file"

"""Patches: declared changes to generated workflows and actions that no field covers."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from wfgen.specs.kinds._model import Line, Matching, Mistake, Model, Path

JobId = Annotated[
    str,
    Matching(r"[A-Za-z_][A-Za-z0-9_-]*", "job ID", "use letters, digits, `-` and `_`"),
]
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_id"""

Key = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*",
        "key",
        "use keys joined by dots, such as `with.push`",
    ),
]

RuleName = Annotated[
    str, Matching(r"[a-z]+(?:-[a-z]+)*", "rule name", "use lower-case letters and hyphens")
]

WAYS = ("before", "after", "add", "replace", "remove")
"""The operations; a patch has exactly one."""


class Patch(Model):
    """A change to one generated file, made after rendering and checked by the safety rules.
    `file`, `job`, `step` and `key` select the target; exactly one of `before`, `after`, `add`,
    `replace` and `remove` changes it. The target must exist in the file without patches. Name
    actions without a commit (`uses: actions/cache`): the commit comes from the lock.
    """

    file: Path
    """The path of the workflow or action, as `wfgen list` prints it."""
    job: JobId | None = None
    """The ID of a job."""
    step: Line | None = None
    """The ID or the name of a step."""
    key: Key | None = None
    """A key of the step, the job or the file; nested keys are joined by dots, as in
    `permissions.contents`."""
    before: Annotated[list[Any], Field(min_length=1)] | None = None
    """Steps to insert before the step, or entries to insert at the start of the list at `key`."""
    after: Annotated[list[Any], Field(min_length=1)] | None = None
    """Steps to insert after the step, or entries to append to the list at `key`."""
    add: Any = None
    """The value of a new `key`, or a whole new `job`."""
    replace: Any = None
    """The new value of the `key`, or a new step or job in place of the selected one."""
    remove: bool = False
    """`true` removes the `key`, the step or the job."""
    waive: dict[RuleName, Line] = {}
    """Safety rules that the patch may break, each with a reason. The generated file shows the
    reason."""

    @property
    def way(self) -> str:
        """The operation of this patch, one of `WAYS`."""
        return next(way for way in WAYS if way in self.model_fields_set)

    def mistakes(self) -> Iterator[Mistake]:
        ways = [way for way in WAYS if way in self.model_fields_set]
        if len(ways) != 1:
            given = " and ".join(f"`{way}`" for way in ways) or "none"
            expected = "expected one of `before`, `after`, `add`, `replace` and `remove`"
            hint = "keep one of them" if ways else "set one of them"
            yield Mistake(ways[-1] if ways else "", f"{expected}, found {given}", hint)
            return
        (way,) = ways
        if way == "remove" and not self.remove:
            hint = "write `remove: true`, or delete the patch"
            yield Mistake("remove", "`remove: false` has no effect", hint)
        if way in ("before", "after") and not (self.step or self.key):
            hint = "set `step`, or the `key` of a list"
            yield Mistake(way, f"missing target for `{way}`", hint)
        if way == "add" and not self.key and (self.step or not self.job):
            yield Mistake(way, "missing target for `add`", "set a new `key`, or a new `job`")
        if way in ("replace", "remove") and not (self.step or self.key or self.job):
            yield Mistake(way, f"missing target for `{way}`", "set `job`, `step` or `key`")

"""Patches: declared changes to generated workflows and actions, for what no field can say."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from wfgen.specs.kinds._model import Line, Matching, Mistake, Model, Path

JobId = Annotated[
    str,
    Matching(r"[A-Za-z_][A-Za-z0-9_-]*", "the id of a job", "letters, digits, - and _"),
]
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_id"""

Key = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*",
        "keys with dots between them, such as with.push",
    ),
]

RuleName = Annotated[str, Matching(r"[a-z]+(?:-[a-z]+)*", "the name of a rule")]

WAYS = ("before", "after", "add", "replace", "remove")
"""What a patch can do; each does one of these."""


class Patch(Model):
    """A change to one generated file, made after rendering and held to the safety rules. `file`,
    `job`, `step` and `key` name what it is about; one of `before`, `after`, `add`, `replace` and
    `remove` says what is done there. What it names must be in the file as it is without patches.
    An action is named without its commit (`uses: actions/cache`): that comes from the lock.
    """

    file: Path
    """The workflow or action, as `wfgen list` shows it."""
    job: JobId | None = None
    """The id of a job."""
    step: Line | None = None
    """The id of a step, or its name."""
    key: Key | None = None
    """A key of the step, of the job or of the file, and keys below it: `permissions.contents`."""
    before: Annotated[list[Any], Field(min_length=1)] | None = None
    """Steps in front of the step, or entries at the beginning of the list at `key`."""
    after: Annotated[list[Any], Field(min_length=1)] | None = None
    """Steps behind the step, or entries at the end of the list at `key`."""
    add: Any = None
    """The value of a `key` that is not there yet, or a whole `job`."""
    replace: Any = None
    """Another value of the `key`, another step, another job."""
    remove: bool = False
    """true: the `key`, the step or the job goes."""
    waive: dict[RuleName, Line] = {}
    """Safety rules that the patch may break, each with the reason, which the generated file then
    shows."""

    @property
    def way(self) -> str:
        """The one of `WAYS` that the patch has."""
        return next(way for way in WAYS if way in self.model_fields_set)

    def mistakes(self) -> Iterator[Mistake]:
        ways = [way for way in WAYS if way in self.model_fields_set]
        if len(ways) != 1:
            given = " and ".join(ways) or "nothing to do"
            expected = "expected one of before, after, add, replace and remove"
            yield Mistake(ways[-1] if ways else "", f"{given}; {expected}", "keep one of them")
            return
        (way,) = ways
        if way == "remove" and not self.remove:
            yield Mistake("remove", "remove is false", "write true, or remove the patch")
        if way in ("before", "after") and not (self.step or self.key):
            hint = "name a `step`, or the `key` of a list"
            yield Mistake(way, f"{way} what?", hint)
        if way == "add" and not self.key and (self.step or not self.job):
            yield Mistake(way, "add without a key", "name the new `key`, or a new `job`")
        if way in ("replace", "remove") and not (self.step or self.key or self.job):
            yield Mistake(way, f"{way} what?", "name a `job`, a `step` or a `key`")

"""The pipelines and runs that docs/cost.md and `python -m benchmarks.cost` list."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from benchmarks.cost import counts
from benchmarks.cost.fetches import ROOT
from tests import case
from wfgen.actions.reading import Read
from wfgen.checks.scenarios.pipeline import Pipeline, read_pipeline
from wfgen.release_program import names

_APPROVAL = "    approval: true\n"
MONTH = 30
"""Days."""


@dataclass(frozen=True)
class Releasing:
    """A generated workflow, usually one that releases."""

    path: str
    read: Read

    @cached_property
    def pipeline(self) -> Pipeline:
        return read_pipeline(self.path, self.read)

    @property
    def builds(self) -> int:
        """Jobs that build a service."""
        return sum(bool(names.built_service(job)) for job in self.pipeline.workflow.jobs)

    @property
    def has_approval(self) -> bool:
        return (
            bool(self.pipeline.of("approval")) or names.Job.APPROVE in self.pipeline.workflow.jobs
        )

    @property
    def most_in_series(self) -> int:
        """plan, build, deploy, monitor, finish; and approve."""
        return 5 + self.has_approval

    @property
    def most_jobs(self) -> int:
        """Each build, and the jobs of `most_in_series` except the build."""
        return self.builds + 4 + self.has_approval

    def count(self, event: str = "", prefer: counts.Prefer = counts.usual) -> counts.Cost:
        """The cost of a run."""
        return counts.count(self.pipeline, self.read, event, prefer)


@cache
def own_workflows() -> dict[str, Releasing]:
    """The workflows that are generated for this repository, by name, without those only called."""
    return {Path(each.path).stem: each for each in _workflows(ROOT)}


def own(name: str) -> Releasing:
    """A workflow of this repository."""
    return own_workflows()[name]


def without_approval() -> Releasing:
    """This repository's `production`, generated from its specs without `approval: true`."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("app", "kube", ".github", "pyproject.toml"):
            (root / folder).symlink_to(ROOT / folder)
        for spec in (ROOT / "specs").glob("*.yaml"):
            text = spec.read_text("utf-8")
            if spec.name == "project.yaml" and text.count(_APPROVAL) != 1:
                raise ValueError(f"{spec}: expected the line `{_APPROVAL.strip()}` once")
            case.write(root, {f"specs/{spec.name}": text.replace(_APPROVAL, "")})
        return next(each for each in _workflows(root) if Path(each.path).stem == "production")


def of_case(name: str) -> list[Releasing]:
    """The releasing workflows that are generated for a case of tests/cases/ok."""
    with tempfile.TemporaryDirectory() as folder:
        workflows = _workflows(case.write(Path(folder), case.read("ok", name)))
    return [each for each in workflows if each.pipeline.of("deploy")]


def _workflows(root: Path) -> list[Releasing]:
    texts = {file.path: file.text for file in case.rendered(root)}
    return [
        Releasing(path, texts.__getitem__)
        for path in sorted(texts)
        if Path(path).parent == Path(names.WORKFLOWS) and not Path(path).name.startswith("_")
    ]


def runs_in_a_month(cron: str) -> int:
    """How often a schedule starts a workflow in `MONTH` days, whose first is a Sunday and the 1st.

    Raises `ValueError` for a schedule with names or other than five fields.
    """
    fields = cron.split()
    if len(fields) != 5:
        raise ValueError(f"schedule `{cron}`: expected five fields")
    minutes, hours, days, months, weekdays = (
        _values(field, *limits)
        for field, limits in zip(fields, ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6)), strict=True)
    )
    del months  # the page shows a month in which the schedule applies
    matching = [day for day in range(MONTH) if day + 1 in days and day % 7 in weekdays]
    return len(matching) * len(hours) * len(minutes)


def _values(field: str, first: int, last: int) -> set[int]:
    values: set[int] = set()
    for part in field.split(","):
        limits, _, step = part.partition("/")
        low, _, high = ("", "", "") if limits == "*" else limits.partition("-")
        start = int(low) if low else first
        stop = int(high) if high else (start if low and not step else last)
        values |= set(range(start, stop + 1, int(step or 1)))
    return values

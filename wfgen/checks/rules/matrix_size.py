"""A matrix makes at most 256 jobs.

GitHub refuses a larger one (https://docs.github.com/en/actions/reference/limits). One that is
known only in the run, `fromJSON(...)`, cannot be counted here.

Shorten the lists of the matrix, or split the job in two.
"""

from collections.abc import Iterator
from typing import Any

from wfgen.checks.rules._workflow import Broken, Workflow, values

LIMIT = 256
"""Jobs."""


def check(workflow: Workflow) -> Iterator[Broken]:
    """Counts what each matrix makes."""
    for job, text in workflow.jobs.items():
        if "matrix:" not in text:
            continue
        strategy = values(text).get("strategy")
        matrix = strategy.get("matrix") if isinstance(strategy, dict) else None
        if isinstance(matrix, dict) and (size := count(matrix)) > LIMIT:
            yield Broken(f"job {job} is a matrix of {size:,}; GitHub takes at most {LIMIT}", job)


def count(matrix: dict[str, Any]) -> int:
    """Jobs of a matrix: all combinations, without those excluded, and the included that add one."""
    combinations: list[dict[str, Any]] = [{}]
    for name, entries in matrix.items():
        if name in ("include", "exclude") or not isinstance(entries, list):
            continue
        if len(combinations) * len(entries) > 100 * LIMIT:  # no need to know exactly
            return len(combinations) * len(entries)
        combinations = [{**each, name: entry} for each in combinations for entry in entries]
    if combinations == [{}]:
        combinations = []
    excluded, included = matrix.get("exclude"), matrix.get("include")
    if isinstance(excluded, list):
        combinations = [c for c in combinations if not any(_fits(e, c) for e in excluded)]
    more = included if isinstance(included, list) else []
    return len(combinations) + sum(not _extends(each, combinations) for each in more)


def _fits(excluded: dict[str, Any], combination: dict[str, Any]) -> bool:
    return excluded.items() <= combination.items()


def _extends(included: dict[str, Any], combinations: list[dict[str, Any]]) -> bool:
    """Whether an entry of `include` adds to combinations that there are, and makes no new one."""
    return any(
        all(each[name] == value for name, value in included.items() if name in each)
        for each in combinations
    )

"""A matrix makes at most 256 jobs.

GitHub refuses a larger one (https://docs.github.com/en/actions/reference/limits). A matrix that is
only known during the run, `fromJSON(...)`, is not checked.

Shorten the lists of the matrix, or split the job in two.
"""

from collections.abc import Iterator
from typing import Any

from wfgen.checks.rules._workflow import Violation, WorkflowText, values

LIMIT = 256
"""Jobs."""


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Counts the jobs of each matrix."""
    for job, text in workflow.jobs.items():
        if "matrix:" not in text:
            continue
        strategy = values(text).get("strategy")
        matrix = strategy.get("matrix") if isinstance(strategy, dict) else None
        if isinstance(matrix, dict) and (size := count(matrix)) > LIMIT:
            yield Violation(f"job {job}: a matrix of {size:,} jobs; GitHub accepts {LIMIT}", job)


def count(matrix: dict[str, Any]) -> int:
    """Jobs of a matrix: combinations that are not excluded, and `include` entries that add one."""
    combinations: list[dict[str, Any]] = [{}]
    for name, entries in matrix.items():
        if name in ("include", "exclude") or not isinstance(entries, list):
            continue
        if (
            len(combinations) * len(entries) > 100 * LIMIT
        ):  # far over the limit: an exact count is not needed
            return len(combinations) * len(entries)
        combinations = [{**made, name: entry} for made in combinations for entry in entries]
    if combinations == [{}]:
        combinations = []
    excluded, included = matrix.get("exclude"), matrix.get("include")
    if isinstance(excluded, list):
        combinations = [c for c in combinations if not any(_fits(e, c) for e in excluded)]
    more = included if isinstance(included, list) else []
    return len(combinations) + sum(not _extends(entry, combinations) for entry in more)


def _fits(excluded: dict[str, Any], combination: dict[str, Any]) -> bool:
    return excluded.items() <= combination.items()


def _extends(included: dict[str, Any], combinations: list[dict[str, Any]]) -> bool:
    """Whether an entry of `include` adds to existing combinations, and makes no new one."""
    return any(
        all(combination[name] == value for name, value in included.items() if name in combination)
        for combination in combinations
    )

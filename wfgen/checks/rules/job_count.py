"""A workflow has at most 256 jobs.

Each service that is built adds a job to every pipeline that contains it. GitHub makes at most 256
jobs from a matrix (https://docs.github.com/en/actions/reference/limits) and documents no limit for
jobs that are written out; wfgen applies the same limit to them, as a run with more is unreadable.
251 services fit into a pipeline with all its other jobs.

Split the services into several repositories, or set `layout: per-service`. Pull requests have one
workflow in either layout, which fits 253: leave services out of previews with `only_in`.
"""

from collections.abc import Iterator

from wfgen.checks.rules._workflow import Violation, WorkflowText
from wfgen.release_program import names

LIMIT = 256
"""Jobs."""


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Counts the jobs that are written out."""
    if (count := len(workflow.jobs)) > LIMIT:
        builds = sum(bool(names.built_service(job)) for job in workflow.jobs)
        yield Violation(f"{count:,} jobs, {builds:,} of them builds; the maximum is {LIMIT}")

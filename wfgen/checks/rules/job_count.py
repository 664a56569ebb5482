"""A workflow has at most 256 jobs.

Each service that is built is a job of every pipeline that has it. GitHub makes at most 256 jobs
of a matrix (https://docs.github.com/en/actions/reference/limits) and says nothing of jobs that
are written out; the same number holds for them here, as nobody reads a run of more. 247 services
fit into a pipeline with all its other jobs.

Split the services into several repositories, or set `layout: per-service`. Previews are one
workflow in either layout: keep services out of them by `only_in`.
"""

from collections.abc import Iterator

from wfgen.checks.rules._workflow import Broken, Workflow
from wfgen.release_program import names

LIMIT = 256
"""Jobs."""


def check(workflow: Workflow) -> Iterator[Broken]:
    """Counts the jobs that are written out."""
    if (count := len(workflow.jobs)) > LIMIT:
        builds = sum(bool(names.built_service(job)) for job in workflow.jobs)
        yield Broken(f"{count:,} jobs, {builds:,} of them builds; expected at most {LIMIT}")

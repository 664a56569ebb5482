"""A workflow file has at most 500 KB.

GitHub starts no run from a larger one
(https://docs.github.com/en/actions/reference/limits). A service takes some 600 bytes and its
`test`, `before` and `args`.

Keep long scripts in a file that `test` or `before` calls, or split the services into several
repositories.
"""

from collections.abc import Iterator

from wfgen.checks.rules._workflow import Broken, Workflow

LIMIT = 500 * 1000
"""Bytes."""


def check(workflow: Workflow) -> Iterator[Broken]:
    """Measures the encoded text; the job that takes most of it is to blame."""
    if (size := len(workflow.text.encode())) <= LIMIT:
        return
    message = f"{size:,} bytes; GitHub takes at most {LIMIT:,}"
    sizes = {job: len(text.encode()) for job, text in workflow.jobs.items()}
    largest = max(sizes, key=sizes.__getitem__, default="")
    if sizes.get(largest, 0) * 2 > size:
        yield Broken(f"{message}, and job {largest} alone takes {sizes[largest]:,}", largest)
    else:
        yield Broken(message)

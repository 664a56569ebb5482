"""A workflow file has at most 500 KB.

GitHub starts no run from a larger one (https://docs.github.com/en/actions/reference/limits). A
service adds about 600 bytes plus its `test`, `before` and `args`.

Move long scripts into a file that `test` or `before` calls, or split the services into several
repositories.
"""

from collections.abc import Iterator

from wfgen.checks.rules._workflow import Violation, WorkflowText

LIMIT = 500 * 1000
"""Bytes."""


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Measures the encoded text, and names the job that takes more than half of it."""
    if (size := len(workflow.text.encode())) <= LIMIT:
        return
    message = f"{size:,} bytes; GitHub accepts at most {LIMIT:,}"
    sizes = {job: len(text.encode()) for job, text in workflow.jobs.items()}
    largest = max(sizes, key=sizes.__getitem__, default="")
    if sizes.get(largest, 0) * 2 > size:
        yield Violation(f"{message}; job {largest} alone has {sizes[largest]:,}", largest)
    else:
        yield Violation(message)

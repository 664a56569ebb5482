"""A workflow file has at most 500 KB.

GitHub does not start a workflow from a larger file
(https://docs.github.com/en/actions/reference/limits).

Split the services into projects of their own, each a repository or a folder with its `specs/`,
or set `layout: per-service`.
"""

from collections.abc import Iterator

from wfgen.render import RenderedFile

LIMIT = 500 * 1000
"""Bytes."""


def check(file: RenderedFile) -> Iterator[str]:
    """Measures the encoded text."""
    if (size := len(file.text.encode())) > LIMIT:
        yield f"{size:,} bytes; GitHub takes at most {LIMIT:,}"

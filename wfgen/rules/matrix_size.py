"""A matrix makes at most 256 jobs, and a pipeline has as many builds at most.

GitHub refuses a larger matrix (https://docs.github.com/en/actions/reference/limits), and a run
page of more jobs is of no use to anybody.

Split the services into projects of their own, or set `layout: per-service`.
"""

import re
from collections.abc import Iterator

from wfgen.render import RenderedFile

LIMIT = 256
"""Jobs."""
_ENTRY = re.compile(r"^ +matrix:\n(?: +\w+: \[(?P<entries>[^\]\n]*)\]\n)", re.MULTILINE)
_JOB = re.compile(r"^  [a-z][a-z0-9_-]*:$", re.MULTILINE)


def check(file: RenderedFile) -> Iterator[str]:
    """Counts the entries of matrices that are written out, and the jobs."""
    for found in _ENTRY.finditer(file.text):
        if (entries := found["entries"].count(",") + 1) > LIMIT:
            yield f"a matrix of {entries} jobs; GitHub takes at most {LIMIT}"
    body = file.text.partition("\njobs:\n")[2]
    if (jobs := len(_JOB.findall(body))) > LIMIT:
        yield f"{jobs} jobs; expected at most {LIMIT}"

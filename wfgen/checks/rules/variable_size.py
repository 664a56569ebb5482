"""The results of all jobs fit into an environment variable: at most 128 KiB.

Jobs such as the verdict read `toJSON(needs)` from a variable, and Linux starts no program with a
longer one (MAX_ARG_STRLEN, https://man7.org/linux/man-pages/man2/execve.2.html). It contains the
name and the image of each service several times: 256 services fit where names are short, 150
where they have the maximum length.

Shorten the names of services and images, split the services into several repositories, or set
`layout: per-service`. Previews are one workflow in either layout: leave services out of them with
`only_in`.
"""

import re
from collections.abc import Iterator

from wfgen.checks.rules._workflow import Violation, WorkflowText
from wfgen.release_program import names

LIMIT = 128 * 1024
"""Bytes, the variable's name included."""
OTHER_JOBS = 4_000
"""Bytes for the results and outputs of all jobs that build nothing."""
_IMAGE = re.compile(r"^      image: (\S+)$", re.MULTILINE)
# As the release program writes them: a list and a mapping, JSON within JSON.
_BUILD = len(
    '  "": {\n    "result": "cancelled",\n    "outputs": {\n      "digest": ""\n    }\n  },\n'
)
_DIGEST = len("sha256:") + 64
_LISTED = len('\\"\\", ')
_MAPPED = len('\\"\\": \\"@\\", ') + _DIGEST


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Adds up the maximum size of all results, where a job reads them."""
    if "${{ toJSON(needs) }}" not in workflow.text:
        return
    size = OTHER_JOBS
    for job, text in workflow.jobs.items():
        if (service := names.built_service(job)) and (image := _IMAGE.search(text)):
            size += bytes_of(service, image[1])
    if size > LIMIT:
        yield Violation(f"the results of the jobs take {size:,} bytes; a variable takes {LIMIT:,}")


def bytes_of(service: str, image: str) -> int:
    """Bytes that one service adds: the result of its build, and its part of plan and images."""
    name = len(service)
    build = _BUILD + len(names.build_job(service)) + _DIGEST
    return build + 2 * (_LISTED + name) + 2 * (_MAPPED + name + len(image))

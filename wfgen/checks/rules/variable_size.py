"""The results of all jobs fit into an environment variable: at most 128 KiB.

Jobs such as the verdict are given `toJSON(needs)` in one, and Linux starts no program with a
longer one (MAX_ARG_STRLEN, https://man7.org/linux/man-pages/man2/execve.2.html). It holds the
name and the image of each service several times: 256 services fit where names are short, 150
where they are as long as can be.

Shorten the names of services and images, split the services into several repositories, or set
`layout: per-service`. Previews are one workflow in either layout: keep services out of them by
`only_in`.
"""

import re
from collections.abc import Iterator

from wfgen.checks.rules._workflow import Broken, Workflow
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


def check(workflow: Workflow) -> Iterator[Broken]:
    """Adds up what the jobs say at most, where a job reads it."""
    if "${{ toJSON(needs) }}" not in workflow.text:
        return
    size = OTHER_JOBS
    for job, text in workflow.jobs.items():
        if (service := names.built_service(job)) and (image := _IMAGE.search(text)):
            size += bytes_of(service, image[1])
    if size > LIMIT:
        yield Broken(f"results of jobs of {size:,} bytes; one variable takes at most {LIMIT:,}")


def bytes_of(service: str, image: str) -> int:
    """What the jobs of one service add: its build's result, and its place in plan and images."""
    name = len(service)
    build = _BUILD + len(names.build_job(service)) + _DIGEST
    return build + 2 * (_LISTED + name) + 2 * (_MAPPED + name + len(image))

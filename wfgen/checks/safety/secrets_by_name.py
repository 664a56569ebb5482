"""A job gets the secrets that it names, not all of them.

`secrets: inherit` and `toJSON(secrets)` pass every secret to whatever the job calls, including
secrets that are added later
(https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows#passing-inputs-and-secrets-to-a-reusable-workflow).
The release alone inherits them: secrets of an environment reach a called workflow in no other way,
and each of its steps names those that it reads (https://github.com/actions/runner/issues/4453).

Name each secret that is needed.
"""

import re
from collections.abc import Iterator

from wfgen.checks.safety._patched import PatchedFile, releases

_ALL = re.compile(r"toJSON\(\s*secrets\s*\)", re.IGNORECASE)


def check(file: PatchedFile) -> Iterator[str]:
    """Checks what calls are passed, and expressions that contain all secrets."""
    for name, job in file.jobs.items():
        if job.get("secrets") == "inherit" and not releases(job):
            yield f"job {name} passes on all secrets"
    for _ in _ALL.finditer(file.text):
        yield "`toJSON(secrets)` reads all secrets"

"""A job gets the secrets that it names, not all of them.

`secrets: inherit` and `toJSON(secrets)` hand every secret to whatever the job calls, those of
later days too
(https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows#passing-inputs-and-secrets-to-a-reusable-workflow).

Name each secret that is needed.
"""

import re
from collections.abc import Iterator

from wfgen.checks.safety._checked import Checked

_ALL = re.compile(r"toJSON\(\s*secrets\s*\)", re.IGNORECASE)


def check(checked: Checked) -> Iterator[str]:
    """Looks at what calls are given, and for expressions that have all secrets."""
    for name, job in checked.jobs.items():
        if job.get("secrets") == "inherit":
            yield f"job {name} hands on all secrets"
    for _ in _ALL.finditer(checked.text):
        yield "all secrets are read at once, by toJSON(secrets)"

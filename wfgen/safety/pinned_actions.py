"""Every action of somebody else is the commit that the lock names.

A tag or a branch can be moved to other code, and that code runs with the job's token and secrets;
a full commit SHA cannot
(https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions). What
is not in the lock no bot bumps.

Name the action without a ref, and add it to `.github/workflows/_pins.yml` with its commit.
"""

import re
from collections.abc import Iterator

from wfgen.safety._checked import Checked, local

_DIGEST = re.compile(r"docker://\S+@sha256:[0-9a-f]{64}")


def check(checked: Checked) -> Iterator[str]:
    """Looks at every `uses`, of steps and of jobs."""
    places = [(f"job {name}", job) for name, job in checked.jobs.items()]
    for where, node in [*places, *checked.steps]:
        uses = str(node.get("uses", ""))
        if not uses or local(uses) or _DIGEST.fullmatch(uses):
            continue
        locked = checked.pins.get(uses.partition("@")[0], "").partition(" ")[0]
        if uses != locked:
            known = "the lock names another commit" if locked else "it is not in the lock"
            yield f"{where} uses {uses}; {known}"

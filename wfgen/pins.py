"""The lock of actions: a workflow that never runs, so that bots bump it like any other.

Every `uses:` that wfgen writes comes from it. The lock is the user's and their bot's once it
stands in the repository; a first one comes with wfgen.
"""

from __future__ import annotations

import re
from pathlib import Path

from wfgen.errors import WfgenError

LOCK = ".github/workflows/_pins.yml"
_USES = re.compile(
    r"^\s*(?:-\s+)?uses:\s*(?P<action>[^@\s]+)@(?P<ref>\S+)(?:\s+#\s*(?P<version>\S+))?\s*$"
)
_SHA = re.compile(r"[0-9a-f]{40}")


def read(text: str, file: str = LOCK) -> dict[str, str]:
    """Action to `action@<commit> # <version>`, in the lock's order.

    Raises `WfgenError` for a line that pins no full commit SHA with its version
    (https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions).
    """
    pins: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        found = _USES.match(line)
        if not found:
            continue
        action, ref, version = found["action"], found["ref"], found["version"]
        if not _SHA.fullmatch(ref) or not version:
            raise WfgenError(
                f"{file}:{number}: {action}@{ref} is not pinned; "
                "expected the full commit SHA and `# vX.Y.Z` after it"
            )
        pin = f"{action}@{ref} # {version}"
        if pins.setdefault(action, pin) != pin:
            raise WfgenError(f"{file}:{number}: {action} is pinned twice, to different commits")
    return pins


def load(root: Path, built_in: str) -> tuple[dict[str, str], bool]:
    """The repository's lock, or `built_in`; and whether the repository has one."""
    try:
        return read((root / LOCK).read_text("utf-8")), True
    except FileNotFoundError:
        return read(built_in, "templates/pins.yml"), False
    except OSError as error:
        raise WfgenError(f"{LOCK}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WfgenError(f"{LOCK}: byte {error.start + 1} is not UTF-8") from error

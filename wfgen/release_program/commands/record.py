"""Shows what the cluster has recorded of releases."""

from __future__ import annotations

import json
from dataclasses import asdict

from ..contract import load
from ..hosting.outputs import log
from ..state.record import read


def record() -> int:
    """Prints the release record as JSON."""
    current = read(load())
    log(json.dumps(asdict(current), indent=2) if current else "no release is recorded")
    return 0

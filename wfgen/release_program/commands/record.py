"""Shows the release record."""

from __future__ import annotations

from ..contract import load
from ..hosting.outputs import log
from ..state.record import read_record
from ..state.record_format import dump_record


def record() -> int:
    """Prints the release record as JSON."""
    current = read_record(load())
    log(dump_record(current) if current else "nothing was ever released here")
    return 0

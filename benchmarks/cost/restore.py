"""The time from a bad pod to the restored release, where each job waits for its runner.

The sum of a measured time and of the job starts between deploy and rollback, drawn at random with a
fixed seed. Detection is not counted as overlapping with the start of the monitor's runner, although
bad signs of those seconds count: the result is an upper bound.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

MEASUREMENTS = Path(__file__).parents[1] / "README.md"
HOPS = (20, 30, 45)
"""Mean seconds from the end of a job until the next one has a runner, its files and its login."""
ASSIGNMENT, SET_UP = (10, 45), ((2, 5), (2, 5), (5, 8))
"""Published ranges in seconds: until a hosted runner is assigned; its set-up, checkout and cluster
login (figures of runner vendors for hosted runners, 2026)."""
POLL = 2
"""Seconds between two looks of the monitor."""
DRAWS, SEED = 20_000, 11
_ROW = re.compile(r"^\| ([^|]+) \| (\d+) / (\d+) \|", re.MULTILINE)


def measured() -> dict[str, list[int]]:
    """By failure, the seconds of `make bench-restore` from the apply until all ready pods run the
    old version, without job starts. Raises `ValueError` if the page has none.
    """
    text = MEASUREMENTS.read_text("utf-8").partition("# How long a bad release is live")[2]
    seconds: dict[str, list[int]] = {}
    for failure, _, restored in _ROW.findall(text):
        seconds.setdefault(failure, []).append(int(restored))
    if not seconds:
        raise ValueError(f"{MEASUREMENTS}: no table with seconds until a release is restored")
    return seconds


def percentile(seconds: list[int], hops: int, mean: float, share: float = 0.95) -> int:
    """A percentile of the seconds until restored, with `hops` job starts of `mean` seconds."""
    source = random.Random(SEED)
    draws = sorted(
        source.choice(seconds)
        + source.uniform(0, POLL)
        + sum(_draw_hop(source, mean) for _ in range(hops))
        for _ in range(DRAWS)
    )
    return round(draws[int(share * DRAWS)])


def _draw_hop(source: random.Random, mean: float) -> float:
    """A job start: set-up in its published range; the assignment in its range, scaled so that the
    mean is right.
    """
    set_up = sum(sum(limits) / 2 for limits in SET_UP)
    scale = (mean - set_up) / (sum(ASSIGNMENT) / 2)
    drawn = sum(source.uniform(*limits) for limits in SET_UP)
    return drawn + scale * source.uniform(*ASSIGNMENT)

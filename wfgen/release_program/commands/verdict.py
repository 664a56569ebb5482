"""The last word on a run: `verdict` for releases, `gate` for pull requests."""

from __future__ import annotations

from ..contract import load
from ..hosting.needs import Needs, Steps, run_address
from ..hosting.outputs import add_summary, error, log
from ..state.outcome import Verdict, judge, judge_request


def verdict() -> int:
    """Reports what happened, what the cluster runs and what to do next.

    Exits 0 if the release was verified and step `audit` succeeded, if nothing had to be released,
    or if the run was stale; else 1, whatever the results of the jobs.
    """
    return _report(judge(load(), Needs.load(), Steps.load()))


def gate() -> int:
    """Reports whether a pull request or merge group may be merged: its one required check.

    Exits 1 if a job failed. Forks, bots, merge groups and pull requests without a preview pass if
    their builds and tests do.
    """
    return _report(judge_request(load(), Needs.load()))


def _report(result: Verdict) -> int:
    run = run_address()
    add_summary(f"## {result.title}\n\n{result.text}" + (f"\n\n[This run]({run})" if run else ""))
    if result.good:
        log(f"{result.title}\n{result.text}")
        return 0
    error(f"{result.title}\n{result.text}")
    return 1

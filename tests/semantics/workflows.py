"""Small workflows for tests, and a short form of their results."""

from __future__ import annotations

from typing import Any

from wfgen.actions import Outcome, Run, Simulator, read_workflow

FAILURE = Outcome("failure")
CALLED = "on: {workflow_call: {}}\njobs:\n  x: {}\n  y: {needs: x, if: always()}\n  z: {needs: y}\n"


def simulator(jobs: str, called: str = "", **contexts: Any) -> Simulator:
    """A simulator of jobs, one per line; `called` is the workflow that they call."""
    files = {"main.yml": f"on: push\njobs:\n{_indent(jobs)}", "called.yml": called}
    return Simulator(read_workflow("main.yml", files.__getitem__), contexts)


def _indent(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.strip().splitlines())


def results(run: Run) -> str:
    """The jobs' paths, with a mark: - skipped, ! failure, x cancelled, none for success."""
    marks = {"success": "", "skipped": "-", "failure": "!", "cancelled": "x"}
    return " ".join(marks[job.result] + path for path, job in run.jobs.items())

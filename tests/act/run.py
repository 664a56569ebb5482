"""Results of a run under act, and the output of its jobs' programs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

BUILT = re.compile(r"^built (?P<image>\S+):[0-9a-f]{40} push=(?P<push>\S+)$", re.MULTILINE)
MARKS = {
    "Plan": r"^(?:client|server): |^### Going back to release ",
    "Build": r"^built ",
    "Images": r"^### Images$",
    "Approve": r"^Approved for ",
    "Preflight": r"^release \d+ of |^\*\*Stale\*\*: ",
    "Migrate": r"^migrating ",
    "Deploy": r"^(?:Deployment|StatefulSet)/",
    "Monitor": r"^### Release \d+ of ",
    "Roll back": r"^apply Deployment/|was rolled back to|the preview stays up|^nothing was applied",
    "Prune": r" objects pruned$|nothing is pruned$",
    "Audit": r"^created tag |^GitHub deployment \d+ of |^no release started",
    "Revert": r"^### Revert ",
    "Notify": r"^Slack was notified$",
    "Verdict": r"^## ",
    "Gate": r"^## ",
    "Watch over production": r"is in flight|was left unfinished",
    "Tear down": r"^deleted namespace ",
    "List expired previews": r"^\d+ previews$",
    "Sweep": r"^deleted namespace ",
}
"""What the program of a job prints when it does its work: success alone proves nothing."""


@dataclass
class Run:
    """The results of a run.

    Jobs of called workflows are named caller/job, jobs of a matrix as on GitHub: job (value).
    """

    results: dict[str, str] = field(default_factory=dict)
    """Only of jobs that started: skipped ones are absent."""
    logs: dict[str, str] = field(default_factory=dict)
    """The output of each job's programs, its summary included."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """The outputs of each job's steps; of one name the last."""
    steps: set[str] = field(default_factory=set)
    """Steps that succeeded, as "job: step"; skipped ones are absent."""
    complaints: list[str] = field(default_factory=list)
    """Error messages of act about failed steps."""

    @property
    def ran(self) -> set[str]:
        """The jobs whose program printed its mark."""
        return {
            job
            for job, text in self.logs.items()
            if (mark := MARKS.get(job.rpartition("/")[2].partition(" (")[0]))
            and re.search(mark, text, re.MULTILINE)
        }

    @property
    def unmarked(self) -> set[str]:
        """The jobs that succeeded although their program did not print its mark."""
        return self.results.keys() - self.failed - self.ran

    @property
    def failed(self) -> set[str]:
        """The jobs that failed."""
        return {job for job, result in self.results.items() if result != "success"}

    @property
    def built(self) -> dict[str, bool]:
        """The images that were built, and whether they were pushed."""
        text = "\n".join(self.logs.values())
        return {match["image"]: match["push"] == "true" for match in BUILT.finditer(text)}

    def after(self, first: Run) -> Run:
        """This run merged with an earlier one; of a job in both, the earlier result counts.

        The jobs of this run that replace calls are left out.
        """
        calls = {name.partition("/")[0] for name in first.results if "/" in name}
        own = self.results.keys() - calls
        return Run(
            {**{job: self.results[job] for job in own}, **first.results},
            {**{job: self.logs.get(job, "") for job in own}, **first.logs},
            {**{job: self.outputs.get(job, {}) for job in own}, **first.outputs},
            self.steps | first.steps,
            first.complaints + self.complaints,
        )

    @classmethod
    def read(cls, output: str, complaints: str) -> Run:
        """Reads the output of `act --json`. Raises `RuntimeError` if no job started."""
        run = cls()
        for line in output.splitlines():
            if not line.startswith("{"):
                continue
            entry: dict[str, Any] = json.loads(line)
            # workflow/job, or caller/workflow/job for a job of a called workflow.
            names = [part.strip() for part in entry.get("job", "").split("/")]
            job = names[-1] if len(names) < 3 else f"{names[0]}/{names[-1]}"
            if values := entry.get("matrix"):  # act calls it job-1
                job = f"{re.sub(r'-[0-9]+$', '', job)} ({', '.join(map(str, values.values()))})"
            if "jobResult" in entry:
                run.results[job] = entry["jobResult"]
            run._read_entry(job, entry)
        if not run.results:
            raise RuntimeError(f"act ran no job:\n{output}{complaints}")
        return run

    def _read_entry(self, job: str, entry: dict[str, Any]) -> None:
        if entry.get("level") == "error":
            self.complaints.append(f"{job}: {entry.get('step', '')}: {entry['msg'].strip()}")
        if entry.get("raw_output"):
            self._append(job, entry["msg"])
        elif entry.get("command") in ("error", "warning"):
            self._append(job, entry["arg"])
        if len(entry.get("stepID", ())) != 1:
            return  # a composite action repeats the outputs and summaries of its steps
        if entry.get("command") == "summary":
            self._append(job, entry["content"])
        elif entry.get("command") == "set-output":
            self.outputs.setdefault(job, {})[entry["name"]] = entry["arg"]
        elif entry.get("stepResult") == "success" and entry.get("stage") == "Main":
            self.steps.add(f"{job}: {entry['step']}")

    def _append(self, job: str, text: str) -> None:
        self.logs[job] = self.logs.get(job, "") + text.rstrip("\n") + "\n"

"""Results of a run under act, and the output of its jobs' programs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.act.works import is_done

BUILT = re.compile(r"^built (?P<image>\S+):[0-9a-f]{40}\S* push=(?P<push>\S+)$", re.MULTILINE)


@dataclass
class Run:
    """The results of a run.

    Jobs of called workflows are named caller/job, jobs of a matrix as on GitHub: job (value). A job
    does one or more pieces of work, each named "job: command" (see `works`).
    """

    results: dict[str, str] = field(default_factory=dict)
    """Only of jobs that started: skipped ones are absent."""
    logs: dict[str, str] = field(default_factory=dict)
    """The output of each job's programs, its summary included."""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """The outputs of each job's steps that are not empty; of one name the last."""
    steps: dict[str, str] = field(default_factory=dict)
    """The result of each step that started, as "job: step"; skipped ones are absent."""
    complaints: list[str] = field(default_factory=list)
    """Error messages of act about failed steps."""
    works: dict[str, str] = field(default_factory=dict)
    """The result of each piece of work that started."""
    texts: dict[str, str] = field(default_factory=dict)
    """The output of each piece of work, its summary included."""

    @property
    def ran(self) -> set[str]:
        """The pieces of work whose program printed its mark."""
        return {work for work in self.works if is_done(work, self.texts.get(work, ""))}

    @property
    def unmarked(self) -> set[str]:
        """The pieces of work that succeeded although their program did not print its mark.

        Also the jobs that succeeded without any work.
        """
        done = {work for work, result in self.works.items() if result == "success"}
        busy = {job_of(work) for work in self.works}
        return (done - self.ran) | (self.results.keys() - self.failed - busy)

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

        def own(entries: Mapping[str, Any]) -> dict[str, Any]:
            return {name: entries[name] for name in entries if job_of(name) not in calls}

        return Run(
            {**own(self.results), **first.results},
            {**own(self.logs), **first.logs},
            {**own(self.outputs), **first.outputs},
            {**own(self.steps), **first.steps},
            first.complaints + self.complaints,
            {**own(self.works), **first.works},
            {**own(self.texts), **first.texts},
        )

    @classmethod
    def read(cls, output: str, complaints: str, works: Mapping[str, str] | None = None) -> Run:
        """Reads the output of `act --json`; `works` are those of the workflow, by step.

        Raises `RuntimeError` if no job started.
        """
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
            run._read_entry(job, entry, works or {})
        if not run.results:
            raise RuntimeError(f"act ran no job:\n{output}{complaints}")
        return run

    def _read_entry(self, job: str, entry: dict[str, Any], works: Mapping[str, str]) -> None:
        step = entry.get("step", "")
        work = works.get(f"{job.partition(' (')[0]}: {step}", "")
        work = work and f"{job}: {work.rpartition(': ')[2]}"
        if entry.get("level") == "error":
            self.complaints.append(f"{job}: {step}: {entry['msg'].strip()}")
        if entry.get("raw_output"):
            self._append(job, work, entry["msg"])
        elif entry.get("command") in ("error", "warning", "notice"):
            self._append(job, work, entry["arg"])
        if len(entry.get("stepID", ())) != 1:
            return  # a composite action repeats the outputs and summaries of its steps
        if entry.get("command") == "summary":
            self._append(job, work, entry["content"])
        elif entry.get("command") == "set-output" and entry["arg"]:
            # A composite action sets all its outputs, also those that its command does not write.
            self.outputs.setdefault(job, {})[entry["name"]] = entry["arg"]
        elif "stepResult" in entry and entry.get("stage") == "Main":
            self.steps[f"{job}: {step}"] = entry["stepResult"]
            if work:
                self.works[work] = entry["stepResult"]

    def _append(self, job: str, work: str, text: str) -> None:
        for logs, name in ((self.logs, job), (self.texts, work)):
            if name:
                logs[name] = logs.get(name, "") + text.rstrip("\n") + "\n"


def job_of(name: str) -> str:
    """The job of a piece of work or of a step; of a job, itself."""
    return name.partition(": ")[0]

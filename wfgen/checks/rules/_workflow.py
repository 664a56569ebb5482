"""A rendered workflow as rules read it: its text, its jobs, and values as GitHub reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from wfgen.text.reader import texts

_JOB = re.compile(r"^  (?! )([^\s#:][^\s:]*):", re.MULTILINE)


class Violation(NamedTuple):
    """What breaks a rule. `job` is the id of the job that breaks it; "" where it is not one job."""

    message: str
    job: str = ""


@dataclass(frozen=True)
class WorkflowText:
    """The text of a workflow; `others` are the texts of all generated files by path."""

    path: str
    text: str
    others: Mapping[str, str]
    platform: str = "github.com"
    """The project's `platform`."""

    @cached_property
    def jobs(self) -> dict[str, str]:
        """The text of each job by its id, including the line of the id."""
        start = self.text.find("\njobs:\n")
        if start < 0:
            return {}
        ids = list(_JOB.finditer(self.text, start + 1))
        ends = [job.start() for job in ids[1:]] + [len(self.text)]
        return {job[1]: self.text[job.start() : end] for job, end in zip(ids, ends, strict=True)}

    @cached_property
    def before_jobs(self) -> str:
        """The text above the jobs."""
        return self.text.partition("\njobs:\n")[0] + "\n"


def values(job: str) -> dict[str, Any]:
    """A job's mapping, every scalar as text."""
    (mapping,) = texts(job).values()
    return mapping if isinstance(mapping, dict) else {}

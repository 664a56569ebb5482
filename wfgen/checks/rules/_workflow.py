"""A rendered workflow as rules look at it: its jobs, and values as GitHub reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from wfgen.text.reader import texts

_JOB = re.compile(r"^  (?! )([^\s#:][^\s:]*):", re.MULTILINE)


class Broken(NamedTuple):
    """What breaks a rule. `job` is the id of the job that does, where it is a single one."""

    message: str
    job: str = ""


@dataclass(frozen=True)
class Workflow:
    """The text of a workflow; `others` are the texts of all generated files by path."""

    path: str
    text: str
    others: Mapping[str, str]

    @cached_property
    def jobs(self) -> dict[str, str]:
        """The text of each job by its id, the line of the id included."""
        start = self.text.find("\njobs:\n")
        if start < 0:
            return {}
        found = list(_JOB.finditer(self.text, start + 1))
        ends = [each.start() for each in found[1:]] + [len(self.text)]
        return {
            each[1]: self.text[each.start() : end] for each, end in zip(found, ends, strict=True)
        }

    @cached_property
    def before_jobs(self) -> str:
        """What stands above the jobs."""
        return self.text.partition("\njobs:\n")[0] + "\n"


def values(job: str) -> dict[str, Any]:
    """A job's mapping, every scalar as text."""
    (found,) = texts(job).values()
    return found if isinstance(found, dict) else {}

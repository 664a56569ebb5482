"""Results and outputs of the jobs before this one (WFGEN_NEEDS, which is toJSON(needs))."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..contract import Description
from ..failure import Failure
from ..names import Job, Output, Variable


@dataclass(frozen=True)
class Needs:
    """Results and outputs of jobs; '' for a job that this one does not need."""

    jobs: Mapping[str, Any]

    @classmethod
    def load(cls) -> Needs:
        """From WFGEN_NEEDS. Raises `Failure`."""
        return cls(read_json(Variable.NEEDS))

    def result(self, job: str) -> str:
        """success, failure, cancelled, skipped, or ''."""
        return str(self.jobs.get(job, {}).get("result") or "")

    def output(self, job: str, name: str) -> str:
        """An output, or ''."""
        return str((self.jobs.get(job, {}).get("outputs") or {}).get(name) or "")

    def failed(self, besides: Iterable[str] = ()) -> list[str]:
        """Jobs that failed or were cancelled, except `besides`."""
        failed = ("failure", "cancelled")
        return [job for job in self.jobs if job not in besides and self.result(job) in failed]

    @property
    def services(self) -> list[str]:
        """The services of this release."""
        return list(json.loads(self.output(Job.PLAN, Output.SERVICES) or "[]"))

    @property
    def build(self) -> list[str]:
        """The services whose image this run builds."""
        return list(json.loads(self.output(Job.PLAN, Output.BUILD) or "[]"))

    def images(self, description: Description) -> dict[str, str]:
        """The release's images: of described services only, each of the service's repository."""
        named = (
            self.output(Job.IMAGES, Output.IMAGES) or self.output(Job.PLAN, Output.IMAGES) or "{}"
        )
        return {
            name: image
            for name, image in sorted(json.loads(named).items())
            if name in description.services
            and is_image_of(description.services[name].repository, image)
        }


def read_json(variable: str) -> Any:
    """The JSON in an environment variable; {} if it is not set. Raises `Failure`."""
    try:
        return json.loads(os.environ.get(variable) or "{}")
    except ValueError:
        raise Failure(f"{variable} is not JSON: use ${{{{ toJSON(...) }}}}") from None


def is_image_of(repository: object, image: object) -> bool:
    """Whether `image` is `repository`@sha256:<64 hex>."""
    pattern = rf"{re.escape(str(repository))}@sha256:[0-9a-f]{{64}}"
    return isinstance(image, str) and re.fullmatch(pattern, image) is not None


def run_address() -> str:
    """The URL of this run; '' if the program was started by hand."""
    run = os.environ.get(Variable.RUN_ID, "")
    server = os.environ.get(Variable.SERVER_URL, "https://github.com")
    return f"{server}/{os.environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}" if run else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

"""What the jobs before this one did (WFGEN_NEEDS, which is toJSON(needs)), and where they ran."""

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
    """Results and outputs of jobs. One that this job does not need is absent, and reads as ''."""

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
        """Jobs that failed or were cancelled, but for those named."""
        bad = ("failure", "cancelled")
        return [job for job in self.jobs if job not in besides and self.result(job) in bad]

    @property
    def services(self) -> list[str]:
        """The services of this release."""
        return list(json.loads(self.output(Job.PLAN, Output.SERVICES) or "[]"))

    @property
    def build(self) -> list[str]:
        """The services whose image this run builds."""
        return list(json.loads(self.output(Job.PLAN, Output.BUILD) or "[]"))

    def images(self, description: Description) -> dict[str, str]:
        """The release's images: only of described services, only of their own repositories."""
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
    """The JSON object in an environment variable; {} where it is not set. Raises `Failure`."""
    try:
        return json.loads(os.environ.get(variable) or "{}")
    except ValueError:
        raise Failure(f"{variable} is not JSON: pass ${{{{ toJSON(...) }}}}") from None


def is_image_of(repository: object, image: object) -> bool:
    """Whether `image` is `repository`@sha256:<64 hex>."""
    pattern = rf"{re.escape(str(repository))}@sha256:[0-9a-f]{{64}}"
    return isinstance(image, str) and re.fullmatch(pattern, image) is not None


def run_address() -> str:
    """The page of this run, or '' when the program was started by hand."""
    run = os.environ.get(Variable.RUN_ID, "")
    server = os.environ.get(Variable.SERVER_URL, "https://github.com")
    return f"{server}/{os.environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}" if run else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

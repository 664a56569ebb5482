"""Results and outputs of the jobs before this one (WFGEN_NEEDS, which is toJSON(needs)), and of the
steps before this one (WFGEN_STEPS, which is toJSON(steps)).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..contract import Description
from ..failure import Failure
from ..names import NO_NUMBER, NONE, PER_ATTEMPT, Job, Output, Variable, build_job, untag

_RELEASE_JOBS = (Job.ROLLBACK, Job.MONITOR, Job.DEPLOY)
"""The jobs of the release, whose outputs the called workflow passes on as JSON; the best first."""
_NUMBERS = (Output.RELEASE, Output.GO_BACK, Output.NUMBER)


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
        """An output without its attempt; '' where it is missing, "none", or 0 for a number.

        Of the release: as `rollback` wrote it, else `monitor`, else `deploy`, in the highest
        attempt of the run that wrote any. A re-run keeps the outputs of jobs that it does not run.
        """
        if job == Job.RELEASE:
            return next(filter(None, (_value(outputs, name) for outputs in self._released)), "")
        return _value(self._outputs(job), name)

    def failed(self, besides: Iterable[str] = ()) -> list[str]:
        """Jobs that failed or were cancelled, except `besides`."""
        failed = ("failure", "cancelled")
        return [job for job in self.jobs if job not in besides and self.result(job) in failed]

    @property
    def scope(self) -> list[str]:
        """The services that this run may release."""
        return self._list(Job.PLAN, Output.SCOPE)

    @property
    def services(self) -> list[str]:
        """The services whose release `plan` proposed."""
        return self._list(Job.PLAN, Output.SERVICES)

    @property
    def build(self) -> list[str]:
        """The services whose image this run builds."""
        return self._list(Job.PLAN, Output.BUILD)

    @property
    def released(self) -> list[str]:
        """The services that the release has, as the jobs of the release wrote them."""
        return self._list(Job.RELEASE, Output.SERVICES)

    def digest(self, service: str) -> str:
        """The digest of the image that this run built for a service; '' where it built none."""
        job = build_job(service)
        return self.output(job, Output.DIGEST) if self.result(job) == "success" else ""

    def built(self, description: Description) -> dict[str, str]:
        """The images that this run built, by service."""
        images = {
            name: f"{service.repository}@{self.digest(name)}"
            for name, service in description.services.items()
        }
        return _valid(description, images)

    def planned(self, description: Description) -> dict[str, str]:
        """The images that a preview takes from its base environment, by service."""
        return _valid(description, self._object(Job.PLAN, Output.IMAGES))

    def images(self, description: Description) -> dict[str, str]:
        """The images of the release, by service."""
        return _valid(description, self._object(Job.RELEASE, Output.IMAGES))

    @cached_property
    def _released(self) -> list[Mapping[str, str]]:
        """The outputs of the release's jobs, of the highest attempt that wrote any."""
        called = self._outputs(Job.RELEASE)
        written = []
        for job in _RELEASE_JOBS:
            outputs = _parse(called.get(job) or "{}", f"{job} of job {Job.RELEASE}") or {}
            written.append((_attempt(outputs), outputs))
        highest = max(attempt for attempt, _ in written)
        if not highest:
            return []
        return [
            {
                name: value
                for name, value in outputs.items()
                if name not in PER_ATTEMPT or untag(str(value))[1] == highest
            }
            for attempt, outputs in written
            if attempt == highest
        ]

    def _outputs(self, job: str) -> Mapping[str, Any]:
        return self.jobs.get(job, {}).get("outputs") or {}

    def _list(self, job: str, name: str) -> list[str]:
        return list(_parse(self.output(job, name) or "[]", f"{name} of job {job}"))

    def _object(self, job: str, name: str) -> dict[str, Any]:
        return dict(_parse(self.output(job, name) or "{}", f"{name} of job {job}"))


@dataclass(frozen=True)
class Steps:
    """Outcomes of the steps before this one; '' for a step that this job does not have."""

    steps: Mapping[str, Any]

    @classmethod
    def load(cls) -> Steps:
        """From WFGEN_STEPS. Raises `Failure`."""
        return cls(read_json(Variable.STEPS))

    def outcome(self, step: str) -> str:
        """success, failure, cancelled, skipped, or ''; `continue-on-error` does not change it.

        https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#steps-context
        """
        return str(self.steps.get(step, {}).get("outcome") or "")


def _value(outputs: Mapping[str, Any], name: str) -> str:
    value = str(outputs.get(name) or "")
    if name in PER_ATTEMPT:
        value = untag(value)[0]
    return "" if value == NONE or (name in _NUMBERS and value == NO_NUMBER) else value


def _attempt(outputs: Mapping[str, Any]) -> int:
    """The highest attempt that wrote one of these outputs; 0 for none."""
    return max((untag(str(outputs[name]))[1] for name in PER_ATTEMPT if name in outputs), default=0)


def _valid(description: Description, images: Mapping[str, Any]) -> dict[str, str]:
    """Only images of described services, each a digest of the service's repository."""
    return {
        name: image
        for name, image in sorted(images.items())
        if name in description.services
        and is_image_of(description.services[name].repository, image)
    }


def _parse(text: str, origin: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Failure(f"output {origin} is not JSON: {text[:80]!r}") from None


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


def run_address(run: str = "") -> str:
    """The URL of a run, by default of this one; '' if the program was started by hand."""
    run = run or os.environ.get(Variable.RUN_ID, "")
    server = os.environ.get(Variable.SERVER_URL, "https://github.com")
    repository = os.environ.get(Variable.REPOSITORY, "")
    return f"{server}/{repository}/actions/runs/{run}" if run else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

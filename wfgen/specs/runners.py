"""Whether one self-hosted runner serves both pull requests and releases.

Code of a pull request can change what the next job finds on such a runner: its tools, its caches,
its logins
(https://docs.github.com/en/actions/reference/security/secure-use#hardening-for-self-hosted-runners).
GitHub makes a new machine for each job on the runners that it hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wfgen.findings import Diagnostic
from wfgen.specs.kinds import ProjectSpec
from wfgen.specs.references import SpecFile
from wfgen.text.positions import Route

_HOSTED = re.compile(r"(?:ubuntu|windows|macos)-")


def is_hosted(spec: ProjectSpec, label: str) -> bool:
    """Whether GitHub hosts the runners of a label; none on GitHub Enterprise Server."""
    return spec.platform == "github.com" and bool(_HOSTED.match(label))


def check_runners(spec: ProjectSpec, file: SpecFile) -> Iterator[Diagnostic]:
    """Self-hosted labels that pull requests use, and releases too.

    Every pull request uses one: for builds, or at least for the drift check, which installs what
    the pull request names.
    """
    environments = spec.environments.items()
    lasting = {environment.runner for _, environment in environments if not environment.preview}
    releases = {spec.runner, *lasting}
    for route, label, hint in _of_pull_requests(spec):
        if label in releases and not is_hosted(spec, label):
            message = f"self-hosted runner `{label}` serves pull requests and releases"
            yield file.at(route, message, "shared-runner", hint)


def _of_pull_requests(spec: ProjectSpec) -> Iterator[tuple[Route, str, str]]:
    """The labels that pull requests use, each with its place and how to set another."""
    if spec.pull_request_runner is not None:
        hint = "name the label of runners that no release uses"
        yield ("pull_request_runner",), spec.pull_request_runner, hint
    else:
        place = "runner" if "runner" in spec.model_fields_set else "platform"
        hint = "set `pull_request_runner` to the label of runners that no release uses"
        yield (place,), spec.runner, hint
    for name, environment in spec.environments.items():
        if environment.preview and environment.runner is not None:
            hint = "name the label of runners that no release uses, or remove it"
            yield ("environments", name, "runner"), environment.runner, hint

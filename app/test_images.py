"""What the cluster requires of both Dockerfiles, read from their text."""

import re
from pathlib import Path

import pytest

APP = Path(__file__).parent
pytestmark = pytest.mark.parametrize("service", ["client", "server"])


def read_instructions(service: str) -> list[tuple[str, str]]:
    """Return a Dockerfile's instructions in order, as pairs such as ("USER", "101:101")."""
    text = (APP / service / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_base_is_an_exact_version(service: str) -> None:
    """With a tag such as 3.13 or latest, the same commit could get another base image."""
    [base] = [rest for word, rest in read_instructions(service) if word == "FROM"]
    assert re.search(r":\d+\.\d+\.\d+-[a-z0-9.-]+$", base)


def test_runs_as_a_number_that_is_not_root(service: str) -> None:
    """With runAsNonRoot, Kubernetes refuses to start a user that is set by name."""
    last = [rest for word, rest in read_instructions(service) if word == "USER"][-1]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last)


def test_commit_reaches_the_image(service: str) -> None:
    """Without the argument, or with it and no variable, every image would be `unknown`."""
    instructions = read_instructions(service)
    argument = instructions.index(("ARG", "GIT_SHA=unknown"))
    assert ("ENV", "GIT_SHA=$GIT_SHA") in instructions[argument:]


def test_copied_files_reach_the_builder(service: str) -> None:
    """.dockerignore excludes everything except what it lists."""
    lines = (APP / service / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    for word, rest in read_instructions(service):
        if word == "COPY":
            source = rest.split()[0]
            assert f"!{source}" in lines
            assert (APP / service / source).exists()

"""The server's Dockerfile, without building the image."""

import json
import os
import re
import runpy
import sys
import urllib.request
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from real_services import Process, Store, free_port

SERVER = Path(__file__).parents[1]


def test_requirements_are_exact_and_complete() -> None:
    """The image is installed with --no-deps: what is missing from the list is missing there."""
    pinned = read_requirements()
    for requirement in pinned:
        assert re.fullmatch(r"==[0-9][0-9.]*", str(requirement.specifier)), requirement
    needed = [pin for pin in pinned if pin.marker is None or pin.marker.evaluate()]
    names = {canonicalize_name(requirement.name) for requirement in needed}
    for requirement in needed:
        assert direct_dependencies(requirement) <= names, requirement


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="the image's settings are for Linux")
def test_command_serves(stores: dict[str, Store]) -> None:
    """The image's command and settings start a server that reaches the stores."""
    [command] = re.findall(r"^CMD (\[.+\])$", (SERVER / "Dockerfile").read_text(), re.MULTILINE)
    port = free_port()
    # The settings listen on all addresses; here only this machine may connect.
    process = Process(
        [sys.executable, "-m", *json.loads(command), "--bind", f"127.0.0.1:{port}"],
        lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close(),
        cwd=SERVER,
        environment=os.environ | {"GIT_SHA": "abc123"},
    )
    with process.running():
        assert fetch(port, "/readyz") == {"ready": True, "down": []}
        assert fetch(port, "/version") == {"sha": "abc123"}


@pytest.mark.parametrize(("variable", "port"), [(None, "8000"), ("9000", "9000")])
def test_port(variable: str | None, port: str, environment: pytest.MonkeyPatch) -> None:
    environment.delenv("PORT", raising=False)
    if variable is not None:
        environment.setenv("PORT", variable)
    assert runpy.run_path(str(SERVER / "gunicorn.conf.py"))["bind"] == f"0.0.0.0:{port}"


def read_requirements() -> list[Requirement]:
    """Return the entries of requirements.txt."""
    lines = (SERVER / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def direct_dependencies(requirement: Requirement) -> set[str]:
    """Return the names of what a package needs on this Python, its chosen extras included."""
    names = set()
    for text in requires(requirement.name) or []:
        needed = Requirement(text)
        extras = ["", *requirement.extras]
        if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
            names.add(str(canonicalize_name(needed.name)))
    return names


def fetch(port: int, path: str) -> object:
    """Return the JSON of an answer of the local server."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        content: object = json.load(answer)
        return content

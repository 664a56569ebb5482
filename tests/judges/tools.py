"""Finds and runs the programs of the judges; a missing one skips or fails the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent


def missing(what: str, remedy: str) -> NoReturn:
    """Skips the test, as a new contributor may lack a tool; fails it in CI."""
    reason = f"{what} is missing: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def find_program(name: str) -> str:
    """The path of a program in the virtual environment of the tests, or else in PATH."""
    places = [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
    path = shutil.which(name, path=os.pathsep.join(places))
    if path is None:
        missing(name, "pip install --require-hashes -r requirements/dev.txt")
    return path


def run_node(script: str, *arguments: str, given: str = "", cwd: Path = HERE) -> str:
    """Runs a script of this folder; its output.

    Raises RuntimeError if the script fails; findings do not make it fail.
    """
    node = shutil.which("node")
    if node is None:
        missing("node", "install Node.js 20 or newer")
    if not (HERE / "node_modules/@actions/languageservice").is_dir():
        missing("tests/judges/node_modules", "make judges")
    command = [node, "--import", (HERE / "json-hook.mjs").as_uri(), str(HERE / script), *arguments]
    return run(command, cwd=cwd, given=given)


def run(command: list[str], *, cwd: Path, given: str = "", accept: tuple[int, ...] = (0,)) -> str:
    """Runs a program; its standard output. Raises RuntimeError unless its exit code is accepted."""
    done = subprocess.run(
        command, cwd=cwd, input=given, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode not in accept:
        program = Path(command[0]).name
        raise RuntimeError(
            f"{program} ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout

"""Where the programs are that judge, and what becomes of a test where one is missing."""

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
    """Skip the test, for a newcomer may lack a tool; fail it in CI, so that no check is lost."""
    reason = f"{what} is missing: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def find_program(name: str) -> str:
    """The path of a program of the virtual environment that runs the tests, else of the machine."""
    places = [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        missing(name, "pip install --require-hashes -r requirements/dev.txt")
    return found


def run_node(script: str, *arguments: str, given: str = "", cwd: Path = HERE) -> str:
    """The output of one of the scripts beside this file.

    Raises subprocess.CalledProcessError where the script itself breaks; findings are no error.
    """
    node = shutil.which("node")
    if node is None:
        missing("node", "install Node.js 20 or newer")
    if not (HERE / "node_modules/@actions/languageservice").is_dir():
        missing("tests/judges/node_modules", "make judges")
    command = [node, "--import", (HERE / "json-hook.mjs").as_uri(), str(HERE / script), *arguments]
    return run(command, cwd=cwd, given=given)


def run(command: list[str], *, cwd: Path, given: str = "", accept: tuple[int, ...] = (0,)) -> str:
    """Standard output of a program. Raises RuntimeError where it ends otherwise than accepted."""
    done = subprocess.run(
        command, cwd=cwd, input=given, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode not in accept:
        program = Path(command[0]).name
        raise RuntimeError(f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout

"""Cases: small repositories, each a YAML file that maps paths to texts.

Files that a case does not name are those of `cases/base.yaml`; a path without text is omitted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from wfgen.generate.plan import plan
from wfgen.generate.render import RenderedFile, render
from wfgen.specs import loading as spec

CASES = Path(__file__).parent / "cases"
BASE: dict[str, str] = yaml.safe_load((CASES / "base.yaml").read_text("utf-8"))


def names(folder: str) -> list[str]:
    """The cases below a folder of `cases/`."""
    return sorted(path.stem for path in (CASES / folder).glob("*.yaml"))


def read(folder: str, name: str) -> dict[str, str]:
    """The files of a case, including those of the base case."""
    own = yaml.safe_load((CASES / folder / f"{name}.yaml").read_text("utf-8"))
    return {path: text for path, text in {**BASE, **own}.items() if text is not None}


def write(root: Path, files: dict[str, str]) -> Path:
    """Writes files below `root`, and returns it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def rendered(root: Path) -> tuple[RenderedFile, ...]:
    """The files that are generated from the specs below `root`, without manifest checks."""
    return render(plan(spec.load(root)))


def missing(tool: str) -> NoReturn:
    """Skips the test because a tool is missing; in CI, which has all tools, fails it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is missing")
    pytest.skip(f"{tool} is missing")

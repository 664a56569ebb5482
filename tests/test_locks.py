"""The locks hold what pyproject.toml asks for, and tell nobody where to download it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements/dev.txt"
NPM_LOCK = ROOT / "tests/judges/package-lock.json"
IMAGE_LOCK = ROOT / "app/server/requirements.txt"


def locked(path: Path) -> dict[str, str]:
    """Package to version, of a file with `name==version` lines."""
    pins = re.findall(r"^([\w.-]+)(?:\[\w+\])?==([^\s;]+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def asked_for() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    return [Requirement(text) for text in asked + project["build-system"]["requires"]]


@pytest.mark.parametrize("requirement", asked_for(), ids=str)
def test_lock_holds_what_is_asked_for(requirement: Requirement) -> None:
    version = locked(LOCK).get(canonicalize_name(requirement.name))
    assert version is not None, "make lock"
    assert requirement.specifier.contains(version), "make lock"


def test_tests_run_the_image_s_versions() -> None:
    """The server is tested here with what its Dockerfile installs."""
    image, tests = locked(IMAGE_LOCK), locked(LOCK)
    assert image
    assert {name: tests.get(name) for name in image} == image


@pytest.mark.parametrize("lock", [LOCK, NPM_LOCK], ids=lambda path: path.name)
def test_locks_name_no_download_address(lock: Path) -> None:
    """Each machine's own index settings decide where packages come from."""
    # The addresses where npm's authors take donations are none.
    text = re.sub(r'"funding": \{.*?\}', "", lock.read_text(), flags=re.DOTALL)
    assert re.findall(r"\S+://\S+|--\S*index\S*|--find-links\S*|\"resolved\"", text) == []


def test_every_locked_file_has_its_hash() -> None:
    lines = LOCK.read_text().splitlines()
    pinned = [number for number, line in enumerate(lines) if "==" in line and line[0].isalnum()]
    assert pinned
    assert [lines[n] for n in pinned if "--hash=sha256:" not in lines[n + 1]] == []

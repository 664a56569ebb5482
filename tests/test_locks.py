"""The locks hold what pyproject.toml asks for, with hashes and without download addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
RENDER_LOCK = ROOT / "requirements/render.txt"
DEV_LOCK = ROOT / "requirements/dev.txt"
PUBLISH_LOCK = ROOT / "requirements/publish.txt"
LOCKS = [RENDER_LOCK, DEV_LOCK, PUBLISH_LOCK]
NPM_LOCK = ROOT / "tests/judges/package-lock.json"
IMAGE_LOCK = ROOT / "app/server/requirements.txt"


def locked(path: Path) -> dict[str, str]:
    """Package to version, of a file with `name==version` lines."""
    pins = re.findall(r"^([\w.-]+)(?:\[\w+\])?==([^\s;]+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def group(name: str) -> list[str]:
    """The requirements of a dependency group, without the groups that it includes."""
    return [text for text in PYPROJECT["dependency-groups"][name] if isinstance(text, str)]


def required(*groups: str) -> list[str]:
    """The run-time and build requirements, and those of dependency groups."""
    project = PYPROJECT["project"]["dependencies"] + PYPROJECT["build-system"]["requires"]
    return [*project, *(text for name in groups for text in group(name))]


@pytest.mark.parametrize(
    ("lock", "text"),
    [(RENDER_LOCK, text) for text in required("build")]
    + [(DEV_LOCK, text) for text in required("build", "dev")]
    + [(PUBLISH_LOCK, text) for text in group("publish")],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_lock_holds_what_is_required(lock: Path, text: str) -> None:
    requirement = Requirement(text)
    version = locked(lock).get(canonicalize_name(requirement.name))
    assert version is not None, "make lock"
    assert requirement.specifier.contains(version), "make lock"


def test_rendering_and_testing_use_the_same_versions() -> None:
    """`make test` changes nothing that `make render` installed."""
    render, dev = locked(RENDER_LOCK), locked(DEV_LOCK)
    assert {name: dev.get(name) for name in render} == render


def test_distributions_are_checked_and_uploaded_with_the_same_versions() -> None:
    publish, dev = locked(PUBLISH_LOCK), locked(DEV_LOCK)
    assert {name: publish[name] for name in publish if name in dev} == {
        name: dev[name] for name in publish if name in dev
    }


def test_tests_run_the_image_s_versions() -> None:
    """The server is tested with the packages that its Dockerfile installs."""
    image, tests = locked(IMAGE_LOCK), locked(DEV_LOCK)
    assert image
    assert {name: tests.get(name) for name in image} == image


@pytest.mark.parametrize("lock", [*LOCKS, NPM_LOCK], ids=lambda path: path.name)
def test_locks_name_no_download_address(lock: Path) -> None:
    """Each machine's own index settings decide where packages come from."""
    # npm's `funding` entries name no download address.
    text = re.sub(r'"funding": \{.*?\}', "", lock.read_text(), flags=re.DOTALL)
    assert re.findall(r"\S+://\S+|--\S*index\S*|--find-links\S*|\"resolved\"", text) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_file_has_its_hash(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    pinned = [number for number, line in enumerate(lines) if "==" in line and line[0].isalnum()]
    assert pinned
    assert [lines[n] for n in pinned if "--hash=sha256:" not in lines[n + 1]] == []

"""What users install: the wheel, away from this repository, compiled as pip compiles it."""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import case

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory"]
    subprocess.run([*build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    assert compileall.compile_dir(site, quiet=1)
    return site


def run(site: Path, repository: Path, *arguments: str) -> str:
    """What the installed wfgen prints; it has to exit 0."""
    done = subprocess.run(
        [sys.executable, "-m", "wfgen", *arguments],
        cwd=repository, env={**os.environ, "PYTHONPATH": str(site)},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_renders_what_this_checkout_renders(site: Path, tmp_path: Path) -> None:
    for folder in ("specs", "kube", "app"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    run(site, tmp_path, "render")
    made = [path for path in (tmp_path / ".github").rglob("*") if path.is_file()]
    assert len(made) > 10
    for path in made:
        assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes()


def test_the_wheel_has_all_that_new_writes(site: Path, tmp_path: Path) -> None:
    case.write(tmp_path, case.read("ok", "base"))
    for kind in ("client", "server", "redis", "postgres"):
        written = run(site, tmp_path, "new", f"new-{kind}", "--kind", kind).splitlines()
        template = ROOT / "templates/kinds" / kind
        shipped = [p for p in template.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert len([line for line in written if f"new-{kind}" in line]) >= len(shipped)

"""The distributions: complete, valid for PyPI, and they run in an otherwise empty environment."""

from __future__ import annotations

import compileall
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests import case
from wfgen.specs.kinds import KINDS, kind_name

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The source distribution, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return sorted(folder.iterdir())


@pytest.fixture
def environment(distributions: list[Path], tmp_path: Path) -> Environment:
    """An environment with the wheel and what it requires, and nothing else."""
    venv.create(tmp_path / "environment", with_pip=False)
    made = Environment(tmp_path / "environment")
    made.pip("install", "--no-index", "--no-deps", str(distributions[0]))
    made.link_requirements("wfgen-cli")
    return made


class Environment:
    """A virtual environment without pip."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        (self.site,) = folder.glob("lib/python3*/site-packages")

    def pip(self, *arguments: str) -> str:
        """Runs the tests' own pip on this environment."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.bin / "python")]
        line = [*pip, "--disable-pip-version-check", *arguments]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout

    def link_requirements(self, name: str) -> None:
        """Links what a distribution requires, directly or not, from the tests' environment."""
        (installed,) = metadata.distributions(name=name, path=[str(self.site)])
        for text in installed.requires or ():
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            distribution = metadata.distribution(requirement.name)
            tops = {Path(file).parts[0] for file in distribution.files or ()} - {
                "..",
                "__pycache__",
            }
            missing = [top for top in tops if not (self.site / top).exists()]
            for top in missing:
                (self.site / top).symlink_to(Path(str(distribution.locate_file(top))))
            if missing:
                self.link_requirements(requirement.name)

    def run(self, repository: Path, command: str, *arguments: str) -> str:
        """Standard output of an installed command that exits with code 0."""
        done = self.finished(repository, command, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def finished(
        self, repository: Path, command: str, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        clean = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        line = [str(self.bin / command), *arguments]
        return subprocess.run(
            line, cwd=repository, env=clean, check=False, capture_output=True, text=True
        )


def test_pypi_accepts_the_distributions(distributions: list[Path]) -> None:
    """What PyPI checks on upload: metadata, and a description that it can show."""
    assert [path.suffix for path in distributions] == [".whl", ".gz"]
    line = [sys.executable, "-m", "twine", "check", "--strict", *map(str, distributions)]
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_wheel_has_everything_that_render_and_new_need(
    environment: Environment, tmp_path: Path
) -> None:
    """Compiled like pip compiles it, it renders the same files as this checkout."""
    assert compileall.compile_dir(environment.site / "wfgen", quiet=1)
    assert "No broken requirements found" in environment.pip("check")
    repository = tmp_path / "repository"
    for folder in ("specs", "kube", "app"):
        shutil.copytree(ROOT / folder, repository / folder)
    environment.run(repository, "wfgen", "render")
    rendered = [path for path in (repository / ".github").rglob("*") if path.is_file()]
    assert len(rendered) > 10
    for path in rendered:
        assert path.read_bytes() == (ROOT / path.relative_to(repository)).read_bytes()
    environment.run(repository, "wfgen-cli", "check")

    other = case.write(tmp_path / "other", case.read("ok", "base"))
    for kind in (kind_name(kind) for kind in KINDS if not kind.refused):
        written = environment.run(other, "wfgen", "new", f"new-{kind}", "--kind", kind).splitlines()
        template = ROOT / "templates/kinds" / kind
        shipped = [p for p in template.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert len([line for line in written if f"new-{kind}" in line]) >= len(shipped)


OTHERS = "from .WFGen import WFGen\n"
"""`wfgen/__init__.py` of the unrelated distribution; its import fails in our environment."""


WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def others_wheel(tmp_path: Path) -> str:
    """A wheel of the unrelated distribution `wfgen`: the package has the same name as ours."""
    files = {
        "wfgen/__init__.py": OTHERS,
        "wfgen/WFGen.py": "import a_package_that_is_not_installed\n",
        "wfgen-0.0.7.dist-info/METADATA": "Metadata-Version: 2.1\nName: wfgen\nVersion: 0.0.7\n",
        "wfgen-0.0.7.dist-info/WHEEL": WHEEL,
    }
    record = "".join(f"{name},,\n" for name in [*files, "wfgen-0.0.7.dist-info/RECORD"])
    path = tmp_path / "wfgen-0.0.7-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, "wfgen-0.0.7.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return str(path)


def test_the_unrelated_distribution_wfgen_is_reported(
    environment: Environment, distributions: list[Path], others_wheel: str, tmp_path: Path
) -> None:
    """Its package overwrites ours; the message says how to repair that, and it works."""
    environment.pip("install", "--no-index", others_wheel)
    assert (environment.site / "wfgen/__init__.py").read_text() == OTHERS
    done = environment.finished(tmp_path, "wfgen", "--version")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the distribution `wfgen` 0.0.7 is installed beside `wfgen-cli`" in done.stderr
    assert "`pip uninstall wfgen`" in done.stderr
    assert "Traceback" not in done.stderr

    environment.pip("uninstall", "--yes", "wfgen")
    environment.pip(
        "install", "--force-reinstall", "--no-index", "--no-deps", str(distributions[0])
    )
    assert environment.run(tmp_path, "wfgen", "--version").startswith("wfgen ")


def test_it_is_reported_in_the_other_order_too(
    environment: Environment, distributions: list[Path], others_wheel: str, tmp_path: Path
) -> None:
    environment.pip("uninstall", "--yes", "wfgen-cli")
    environment.pip("install", "--no-index", others_wheel)
    environment.pip("install", "--no-index", "--no-deps", str(distributions[0]))
    done = environment.finished(tmp_path, "wfgen-cli", "--version")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is installed beside `wfgen-cli`" in done.stderr

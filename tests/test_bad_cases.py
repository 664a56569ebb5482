"""The whole output for specs that cannot be rendered, with positions.

`pytest tests/test_bad_cases.py --snapshot-update` updates the `.out` files: read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import case
from wfgen.cli.repository import Repository
from wfgen.errors import InvalidSpecs
from wfgen.report import text as report
from wfgen.specs import loading as spec
from wfgen.specs.kustomize import Overlays

BAD = case.CASES / "bad"


@pytest.mark.parametrize("name", case.names("bad"))
def test_messages(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    files = case.read("bad", name)
    overlays = None
    if any(path.startswith("kube/") for path in files):
        overlays = Overlays(tmp_path)
        if overlays.command is None:
            case.missing("kubectl")
    with pytest.raises(InvalidSpecs) as caught:
        Repository(spec.load(case.write(tmp_path, files), overlays), ()).files()
    text = report.errors(caught.value.diagnostics) + "\n"
    expected = BAD / f"{name}.out"
    if pytestconfig.option.update_snapshots:
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")


def test_every_expectation_has_its_case() -> None:
    assert {path.stem for path in BAD.glob("*.out")} == set(case.names("bad"))

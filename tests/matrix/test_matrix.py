"""Every project of the matrix: no judge has a finding, and every safety property holds."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from tests import case
from tests.judges import github, judge, sampled
from tests.matrix import projects
from tests.matrix.projects import PROJECTS, Project
from wfgen.checks import proof, rules, static
from wfgen.generate.render import RenderedFile
from wfgen.release_program import names

TOGETHER = 8
"""Projects whose files the judges read together: each judge takes seconds to start."""
WORKFLOWS = f"{names.WORKFLOWS}/"
ACTIONS = f"{names.ACTIONS}/"


def parts() -> list[tuple[Project, ...]]:
    """The chosen projects in parts of `TOGETHER`."""
    chosen = projects.chosen()
    return [chosen[start : start + TOGETHER] for start in range(0, len(chosen), TOGETHER)]


def test_the_matrix_has_every_combination_of_four_fields() -> None:
    assert len(PROJECTS) == len({*map(str, PROJECTS)}) >= 120
    rows = [dataclasses.astuple(project) for project in PROJECTS]
    values = [{*column} for column in zip(*rows, strict=True)]
    for left_out in range(len(values)):
        kept = [index for index in range(len(values)) if index != left_out]
        combinations = {tuple(row[index] for index in kept) for row in rows}
        assert len(combinations) == math.prod(len(values[index]) for index in kept)


@pytest.mark.slow
@pytest.mark.parametrize("part", parts(), ids=lambda part: str(part[0]))
def test_no_judge_and_no_property_finds_anything(part: tuple[Project, ...], tmp_path: Path) -> None:
    rendered = {
        project: case.rendered(case.write(tmp_path / str(project), project.specs))
        for project in part
    }
    for project, files in rendered.items():
        assert rules.verify(files, project.platform) == [], project
        assert broken(files) == [], project
    assert findings(tmp_path / "judged", rendered) == []


def broken(files: tuple[RenderedFile, ...]) -> list[str]:
    """What `wfgen verify` prints."""
    texts = {file.path: file.text for file in files}
    paths = [path for path in texts if path.startswith(WORKFLOWS)]
    proved = proof.prove(static.read_all(paths, texts.__getitem__))
    assert proved.runs > 1_000
    return [str(counterexample) for counterexample in proved.broken]


def findings(root: Path, rendered: dict[Project, tuple[RenderedFile, ...]]) -> list[str]:
    """What the judges find; each project's name begins the names of its files."""
    paths = []
    for project, files in rendered.items():
        for file in files:
            if file.path.startswith((WORKFLOWS, ACTIONS)) and file.path.endswith(".yml"):
                path = root / of_project(file.path, project)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(of_project(file.text, project), "utf-8")
                paths.append(path)
    servers = [path for path in paths if "-ghes-" in str(path)]
    with sampled(servers, root) as sample:
        refused = github.parse_as_older(sample) if servers else []
    # zizmor prefers `$/`, which the servers of this platform do not have.
    return [str(finding) for finding in refused] + [
        str(finding)
        for finding in judge(paths, root)
        if not (finding.rule == "self-repository" and "-ghes-" in finding.file)
    ]


def of_project(text: str, project: Project) -> str:
    """A path, or the text of a file, with the project's name in the names of generated files."""
    for folder in (WORKFLOWS, ACTIONS):
        text = text.replace(folder, f"{folder}{project}--")
    return text

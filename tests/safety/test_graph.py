"""`wfgen graph`: a pipeline as a diagram, coloured by a run."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from tests import case
from tests.terminal import Ran, Terminal

ROOT = Path(__file__).parents[2]


@pytest.fixture
def graph(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `wfgen graph` in this repository."""
    terminal = Terminal(ROOT, capsys)

    def run(*arguments: str) -> Ran:
        return terminal.run("graph", *arguments, "-C", str(ROOT))

    return run


def test_mermaid_shows_jobs_needs_and_results(graph: Any) -> None:
    lines = graph("production", "--scenario", "--fail monitor").out.splitlines()
    assert lines[0] == "flowchart LR"
    names = {line.split('"')[1]: line.split("[")[0].strip() for line in lines if '"' in line}
    assert any(line.endswith('["release/monitor: failure"]:::failure') for line in lines)
    arrow = f"  {names['release/deploy: success']} --> {names['release/monitor: failure']}"
    assert arrow in lines
    # A job that calls a workflow is drawn as that workflow's jobs: its first and last are
    # connected.
    assert f"  {names['approve: success']} --> {names['release/deploy: success']}" in lines
    assert f"  {names['release/rollback: success']} --> {names['finish: failure']}" in lines
    assert any(line.startswith("  classDef skipped ") for line in lines)


def test_without_a_scenario_nothing_is_coloured(graph: Any) -> None:
    out = graph("production").out
    assert '["release/monitor"]\n' in out
    assert "classDef" not in out


def test_svg_has_one_box_per_job(graph: Any) -> None:
    drawn = ElementTree.fromstring(graph("production", "--as", "svg").out)
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "release/monitor" in texts
    assert len(texts) == len({*texts})
    boxes = [box.attrib for box in drawn.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert len({(box["x"], box["y"]) for box in boxes}) == len(boxes) == len(texts)


def test_dot_names_jobs_and_results(graph: Any) -> None:
    text = graph("production", "--as", "dot", "--scenario", "--cancel deploy").out
    assert '"release/deploy" -> "release/monitor";' in text
    assert 'label="release/monitor: skipped"' in text
    assert text.count("{") == text.count("}") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("production", "--as", "png"), "--as png: expected mermaid, dot or svg"),
        (("production", "--scenario", "--fial monitor"), "`--fial` is not an option of simulate"),
        (
            ("production", "--scenario", "--fail"),
            "`--fail` is not an option of simulate with a value",
        ),
        (("production", "--scenario", "--fail x"), "production has no job `x`"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    options: tuple[str, ...], message: str, graph: Any
) -> None:
    ran = graph(*options)
    assert ran.code == 2
    assert message in ran.err


def test_a_workflow_by_its_path_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "on: push\njobs:\n  a-b:\n    runs-on: x\n    steps: [{run: 'true'}]\n"
    case.write(tmp_path, {"specs/project.yaml": "", "one.yml": text})
    ran = Terminal(tmp_path, capsys).run("graph", "one.yml", "-C", str(tmp_path))
    assert ran.out == 'flowchart LR\n  j0["a-b"]\n'

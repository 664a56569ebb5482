"""The README shows what is so: its blocks are made from the real files, its commands exist.

`pytest tests/test_readme.py --snapshot-update` writes the blocks anew: read the diff.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.judges import tree
from wfgen import errors
from wfgen.report import reference
from wfgen.specs.kinds import KINDS, ProjectSpec, ServiceSpec, kind_name
from wfgen.worktree.causes import Cause

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
WORKFLOWS = ROOT / ".github/workflows"
BLOCK = re.compile(r"(<!-- begin: (?P<what>.+?) -->\n)(?P<text>.*?)(?=<!-- end -->)", re.DOTALL)

Needs = dict[str, list[str]]
"""The jobs of a workflow, each with those that it needs."""


def made(what: str) -> str:
    """What stands in the block of this name."""
    if what == "causes of drift":
        return "".join(f"- {cause.value}\n" for cause in Cause)
    if what == "exit codes":
        rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in exit_codes())
        return f"| exit code | means |\n|---|---|\n{rows}"
    if what == "refused":
        return "".join(f"- {line}\n" for line in refused())
    kind, _, path = what.rpartition(" of ")
    if not kind:
        return fenced("yaml", (ROOT / path).read_text("utf-8"))
    text = (ROOT / path).read_text("utf-8")
    if kind.startswith("picture"):
        return fenced("mermaid", picture(text, (WORKFLOWS / "_deploy.yml").read_text("utf-8")))
    if kind.startswith("patch "):
        spec = yaml.safe_load(text)["specs/project.yaml"]
        return fenced("yaml", "patches:\n" + job(spec, kind.removeprefix("patch ")))
    return fenced("yaml", job(text, kind.removeprefix("job ")))


def fenced(language: str, text: str) -> str:
    return f"```{language}\n{text}```\n"


def job(workflow: str, name: str) -> str:
    """The lines of one job, or of another mapping at its place."""
    found = re.search(rf"^  {name}:\n(?:    .*\n)+", workflow, re.MULTILINE)
    assert found, f"no job {name}"
    return found[0]


def picture(workflow: str, called: str) -> str:
    """A pipeline's jobs in mermaid, with those of the workflow that `release` calls."""
    lines = ["flowchart LR", "  subgraph release", "    direction LR"]
    lines += [f"    {one} --> {other}" for one, other in arrows(called)]
    lines += ["  end", *(f"  {one} --> {other}" for one, other in arrows(workflow))]
    return "".join(f"{line}\n" for line in lines)


def arrows(workflow: str) -> list[tuple[str, str]]:
    """From a job to those that need it, without arrows that follow from others."""
    jobs: dict[str, Any] = tree.load(workflow)["jobs"]
    needs = {name: list(each.get("needs", [])) for name, each in jobs.items()}
    assert needs.keys() >= {need for each in needs.values() for need in each}
    return [
        (need, name)
        for name in needs
        for need in needs[name]
        if not any(need in ancestors(needs, other) for other in needs[name])
    ]


def ancestors(needs: Needs, name: str) -> set[str]:
    return {above for need in needs[name] for above in (need, *ancestors(needs, need))}


def exit_codes() -> list[tuple[str, str]]:
    """Each exit code of the program, and the docstring below it."""
    source = (ROOT / "wfgen/errors.py").read_text("utf-8")
    return re.findall(r'^EXIT_\w+ = (\d+)\n"""(.+)"""$', source, re.MULTILINE)


def refused() -> Iterable[str]:
    for path, model in (("specs/project.yaml", ProjectSpec), ("specs/<service>.yaml", ServiceSpec)):
        names = [
            ".".join([*part.path, name]) + (f": {mark.value}" if mark.value else "")
            for part in reference.parts(model)
            for name, field in part.model.model_fields.items()
            if (mark := reference.refused(field))
        ]
        yield f"`{path}`: {', '.join(f'`{name}`' for name in names)}"
    yield f"kinds: {', '.join(f'`{kind_name(kind)}`' for kind in KINDS if kind.refused)}"


def test_blocks_are_made_from_the_real_files(pytestconfig: pytest.Config) -> None:
    text = README.read_text("utf-8")
    assert len(BLOCK.findall(text)) == text.count("<!-- begin") == text.count("<!-- end -->") > 0
    wanted = BLOCK.sub(lambda found: found[1] + made(found["what"]), text)
    if pytestconfig.option.update_snapshots:
        README.write_text(wanted, "utf-8")
    assert README.read_text("utf-8") == wanted


def test_the_picture_leaves_out_only_what_follows() -> None:
    """Who waits for whom is the same with the picture's arrows as with the workflow's needs."""
    text = (WORKFLOWS / "production.yml").read_text("utf-8")
    jobs: dict[str, Any] = tree.load(text)["jobs"]
    needs = {name: list(each.get("needs", [])) for name, each in jobs.items()}
    drawn: Needs = {name: [] for name in jobs}
    for one, other in re.findall(r"^  (\w+) --> (\w+)$", README.read_text("utf-8"), re.MULTILINE):
        drawn[other].append(one)
    assert {n: ancestors(drawn, n) for n in drawn} == {n: ancestors(needs, n) for n in needs}


def table(heading: str) -> list[list[str]]:
    """The cells of the table whose first column is headed so."""
    head = rf"^\| {heading} \|.*\n\|[-|]+\n"
    found = re.search(rf"{head}((?:\|.*\n)+)", README.read_text("utf-8"), re.MULTILINE)
    assert found, heading
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found[1].splitlines()]


@cache
def help_of(*command: str) -> str:
    """What a command says of itself; fails where there is no such command."""
    wide = {**os.environ, "COLUMNS": "200"}
    line = [sys.executable, "-m", "wfgen", *command, "--help"]
    return subprocess.run(line, env=wide, capture_output=True, text=True, check=True).stdout


def test_commands_are_those_that_there_are() -> None:
    listed = re.findall(r"^  (\w+)  ", help_of().partition("Commands:")[2], re.MULTILINE)
    assert listed
    assert [cells[0] for cells in table("command")] == [f"`wfgen {name}`" for name in listed]


@pytest.mark.parametrize("row", table("command"), ids=lambda row: row[0].strip("`"))
def test_options_are_those_of_the_command(row: list[str]) -> None:
    name = row[0].strip("`").removeprefix("wfgen ")
    options = re.findall(r"`(--?[a-zA-Z-]+)`", row[1])
    missing = [each for each in options if not re.search(rf"{each}\b", help_of(name))]
    assert missing == []


def test_commands_in_the_text_are_those_that_there_are() -> None:
    """Wherever a page says `wfgen something`, with the options that it says."""
    known = {cells[0] for cells in table("command")}
    for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for command in re.findall(r"`(wfgen [a-z][^`]*)`", (ROOT / page).read_text("utf-8")):
            _, name, *rest = command.split()
            assert f"`wfgen {name}`" in known, f"{page}: {command}"
            own = [rest.pop(0)] if name == "pins" and rest else []
            options = [word for word in rest if word.startswith("-")]
            assert [word for word in options if word not in help_of(name, *own)] == [], command


def test_exit_codes_are_those_of_the_program() -> None:
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert [code for code, _ in exit_codes()] == [str(code) for code in sorted(codes)]


def test_the_example_logs_in_by_oidc() -> None:
    shown = yaml.safe_load((ROOT / "specs/project.yaml").read_text("utf-8"))
    project = ProjectSpec.model_validate(shown)
    assert all(each.cluster.oidc for each in project.environments.values())


@pytest.mark.parametrize("kind", [kind_name(kind) for kind in KINDS])
def test_each_schema_is_written_under_the_name_that_editors_are_told(
    kind: str, tmp_path: Path
) -> None:
    line = [sys.executable, "-m", "wfgen", "schema", "--out-dir", str(tmp_path)]
    subprocess.run(line, check=True, capture_output=True)
    assert (tmp_path / f"{kind}.schema.json").is_file()
    assert "$schema=../.schemas/server.schema.json" in README.read_text("utf-8")

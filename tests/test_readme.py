"""The README is up to date: its blocks come from the real files, and its commands work.

`pytest tests/test_readme.py --snapshot-update` updates the blocks: read the diff.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.judges import tree
from tests.terminal import Terminal
from wfgen import errors
from wfgen.cli.app import main
from wfgen.report import reference
from wfgen.specs.kinds import KINDS, ProjectSpec, ServiceSpec, kind_name
from wfgen.worktree.causes import Cause

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
WORKFLOWS = ROOT / ".github/workflows"
BLOCK = re.compile(r"(<!-- begin: (?P<what>.+?) -->\n)(?P<text>.*?)(?=<!-- end -->)", re.DOTALL)

Needs = dict[str, list[str]]
"""Each job of a workflow, and the jobs that it needs."""


def block(what: str) -> str:
    """The text of the block of this name."""
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
    """The lines of one job, or of another mapping with the same indentation."""
    match = re.search(rf"^  {name}:\n(?:    .*\n)+", workflow, re.MULTILINE)
    assert match, f"no job {name}"
    return match[0]


def picture(workflow: str, called: str) -> str:
    """A pipeline's jobs in mermaid, with those of the workflow that `release` calls."""
    lines = ["flowchart LR", "  subgraph release", "    direction LR"]
    lines += [f"    {one} --> {other}" for one, other in arrows(called)]
    lines += ["  end", *(f"  {one} --> {other}" for one, other in arrows(workflow))]
    return "".join(f"{line}\n" for line in lines)


def arrows(workflow: str) -> list[tuple[str, str]]:
    """Pairs of a job and a job that needs it, without those that follow from others."""
    jobs: dict[str, Any] = tree.load(workflow)["jobs"]
    needs = {name: list(job.get("needs", [])) for name, job in jobs.items()}
    assert needs.keys() >= {need for names in needs.values() for need in names}
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
    wanted = BLOCK.sub(lambda match: match[1] + block(match["what"]), text)
    if pytestconfig.option.update_snapshots:
        README.write_text(wanted, "utf-8")
    assert README.read_text("utf-8") == wanted


def test_the_picture_leaves_out_only_what_follows() -> None:
    """The order of jobs is the same by the picture's arrows as by the workflow's needs."""
    text = (WORKFLOWS / "production.yml").read_text("utf-8")
    jobs: dict[str, Any] = tree.load(text)["jobs"]
    needs = {name: list(each.get("needs", [])) for name, each in jobs.items()}
    drawn: Needs = {name: [] for name in jobs}
    for one, other in re.findall(r"^  (\w+) --> (\w+)$", README.read_text("utf-8"), re.MULTILINE):
        drawn[other].append(one)
    assert {n: ancestors(drawn, n) for n in drawn} == {n: ancestors(needs, n) for n in needs}


def table(heading: str) -> list[list[str]]:
    """The cells of the table with this heading of the first column."""
    head = rf"^\| {heading} \|.*\n\|[-|]+\n"
    match = re.search(rf"{head}((?:\|.*\n)+)", README.read_text("utf-8"), re.MULTILINE)
    assert match, heading
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in match[1].splitlines()]


@cache
def help_of(*command: str) -> str:
    """The help of a command; fails if there is no such command."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as ended:
            main([*command, "--help"])
    assert ended.value.code == 0
    output.seek(0)
    return output.read()


def test_the_table_lists_all_commands() -> None:
    listed = re.findall(r"^  (\w+)  ", help_of().partition("Commands:")[2], re.MULTILINE)
    assert listed
    assert [cells[0] for cells in table("command")] == [f"`wfgen {name}`" for name in listed]


@pytest.mark.parametrize("row", table("command"), ids=lambda row: row[0].strip("`"))
def test_options_in_the_table_exist(row: list[str]) -> None:
    name = row[0].strip("`").removeprefix("wfgen ")
    options = re.findall(r"`(--?[a-zA-Z-]+)`", row[1])
    missing = [option for option in options if not re.search(rf"{option}\b", help_of(name))]
    assert missing == []


def test_commands_in_the_text_exist() -> None:
    """Every `wfgen <command>` of the pages, and its options."""
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
    assert all(environment.cluster.oidc for environment in project.environments.values())


@pytest.mark.parametrize("kind", [kind_name(kind) for kind in KINDS])
def test_each_schema_has_the_name_that_the_readme_gives_to_editors(
    kind: str, terminal: Terminal, tmp_path: Path
) -> None:
    assert terminal.run("schema", "--out-dir", str(tmp_path)).code == 0
    assert (tmp_path / f"{kind}.schema.json").is_file()
    assert "$schema=../.schemas/server.schema.json" in README.read_text("utf-8")


def test_the_quick_start_works(tmp_path: Path) -> None:
    """In an empty repository, its files and commands give workflows that match the specs."""
    text = README.read_text("utf-8").partition("## Quick start\n")[2].partition("\n## ")[0]
    files = re.findall(r"`(\S+\.yaml)`[^`]*:\n\n```yaml\n(.*?)```", text, re.DOTALL)
    assert len(files) == text.count("```yaml")
    for name, body in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(body, "utf-8")
    commands = re.findall(r"^wfgen (.+)$", text, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["new", "render", "check"]
    for command in commands:
        line = [sys.executable, "-m", "wfgen", *shlex.split(command, comments=True)]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / ".github/workflows/production.yml").is_file()

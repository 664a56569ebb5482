"""What the program writes and reads between jobs, against the workflows that carry it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from wfgen.generate.files import PROGRAM_OUTPUTS

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = {
    path.stem: path.read_text("utf-8") for path in (ROOT / "wfgen/release_program").rglob("*.py")
}
WORKFLOWS: dict[str, Any] = {
    path.name: yaml.safe_load(path.read_text("utf-8"))
    for path in (ROOT / ".github/workflows").glob("*.yml")
}
COMMANDS = r"^def (\w+)\(\) -> int:\n    \"\"\"(.*?)\"\"\""


def written() -> dict[str, set[str]]:
    """The outputs that each command writes, by its docstring."""
    found: dict[str, set[str]] = {}
    for text in PROGRAM.values():
        for name, told in re.findall(COMMANDS, text, re.MULTILINE | re.DOTALL):
            outputs = re.sub(r"\([^()]*\)|: [^,(]*", "", told.partition("Writes: ")[2])
            found[name] = set(re.findall(r"\w+", outputs.partition(".")[0]))
    return found


def steps() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every step that runs the program: the workflow's name, the job, the step."""
    for name, workflow in WORKFLOWS.items():
        for job in workflow["jobs"].values():
            for step in job.get("steps", []):
                if step.get("uses", "").endswith("/actions/release"):
                    yield name, job, step


def test_every_output_that_the_program_writes_is_declared() -> None:
    names = {
        name for text in PROGRAM.values() for name in re.findall(r'write_output\("(\w+)"', text)
    }
    assert names == set(PROGRAM_OUTPUTS)
    assert names == {name for outputs in written().values() for name in outputs}


def test_every_output_that_a_workflow_reads_is_written_by_that_step() -> None:
    read = 0
    for name, job, step in steps():
        asked = re.findall(rf"steps\.{step.get('id', '-')}\.outputs\.(\w+)", str(job))
        assert set(asked) <= written()[step["with"]["command"]], (name, step["name"])
        read += len(asked)
    assert read > 20


def test_every_output_that_the_program_reads_is_one_of_the_job() -> None:
    called = WORKFLOWS["_deploy.yml"][True]["workflow_call"]["outputs"]
    read = {
        pair
        for text in PROGRAM.values()
        for pair in re.findall(r'needs\.output\("(\w+)", "(\w+)"\)', text)
    }
    assert len(read) > 10
    for job, name in read:
        outputs = WORKFLOWS["production.yml"]["jobs"][job].get("outputs", called)
        preview = WORKFLOWS["staging.yml"]["jobs"].get(job, {}).get("outputs", {})
        assert name in {**outputs, **preview}, f"{job} tells no {name}"


def test_whoever_judges_a_run_hears_of_every_job_before_the_end() -> None:
    jobs = WORKFLOWS["production.yml"]["jobs"]
    for judge in ("verdict", "notify"):
        assert set(jobs) - {"prune", "verdict", "notify"} == set(jobs[judge]["needs"])

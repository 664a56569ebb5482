"""What the program writes and reads between jobs, against the workflows that carry it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from wfgen import release_program
from wfgen.release_program import names
from wfgen.release_program.commands import COMMANDS, RUNNER_VARIABLES, output_descriptions, run
from wfgen.release_program.hosting.outputs import write_output
from wfgen.release_program.names import Job, Output, Variable

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(release_program.__file__).parent
PROGRAM = {
    path.relative_to(FOLDER).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in FOLDER.rglob("*.py")
}
WORKFLOWS: dict[str, Any] = {
    path.name: yaml.safe_load(path.read_text("utf-8"))
    for path in (ROOT / names.WORKFLOWS).glob("*.yml")
}
CONSTANTS: dict[str, str] = {
    f"{group.__name__}.{name}": value
    for group in (Job, Output, Variable)
    for name, value in vars(group).items()
    if name.isupper()
}


def text_of(node: ast.expr) -> str:
    """The text of a literal, or of a constant of `names`."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    source = ast.unparse(node)
    if "SECRET_" in source or "secret_variable(" in source:
        return names.secret_variable("<NAME>")
    return CONSTANTS.get(source, source)


def variables_of(module: str) -> set[str]:
    """The environment variables that a module reads."""
    read = set()
    for node in ast.walk(PROGRAM[module]):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            read.add(text_of(node.slice))
        if isinstance(node, ast.Call):
            function = ast.unparse(node.func)
            if function.endswith("environ.get") or function == "read_json":
                read.add(text_of(node.args[0]))
    return read


def steps() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every step that runs the program: the workflow's name, the job, the step."""
    for name, workflow in WORKFLOWS.items():
        for job in workflow["jobs"].values():
            for step in job.get("steps", []):
                if names.local_path(step.get("uses", "")) == names.RELEASE_ACTION:
                    yield name, job, step


def test_the_action_has_the_outputs_that_commands_declare() -> None:
    action = yaml.safe_load((ROOT / names.action(names.RELEASE_ACTION)).read_text("utf-8"))
    described = {name: output["description"] for name, output in action["outputs"].items()}
    assert described == output_descriptions()
    assert len(described) > 20


def test_an_output_that_is_not_declared_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the command that runs; and so is a value that it does not declare."""
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)

    def rollback(name: str, value: str) -> None:
        def command() -> int:
            write_output(name, value)
            return 0

        monkeypatch.setattr("wfgen.release_program.commands.function_of", lambda _: command)
        run("rollback")

    rollback("restored", "all")
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "3")
    rollback("restored", "except: redis")
    rollback("release", "42")
    expected = "restored=all@1\nrestored=except: redis@3\nrelease=42\n"
    assert capsys.readouterr().out == expected
    empty = (("restored", ""), ("release", ""))
    for name, value in (("verified", "true"), ("restored", "some"), *empty):
        with pytest.raises(ValueError, match=f"does not declare the output {name}={value}"):
            rollback(name, value)


def test_every_variable_that_the_program_reads_is_declared() -> None:
    declared = {*RUNNER_VARIABLES}.union(*(command.reads for command in COMMANDS.values()))
    read = {variable for module in PROGRAM for variable in variables_of(module)}
    assert len(read) > 20
    assert read - declared == {"variable"}, "the argument of read_json"
    assert declared - read == {Variable.KUBECONFIG}, "read by kubectl"


def test_a_command_declares_what_its_module_reads() -> None:
    modules = {command.module for command in COMMANDS.values()}
    for module in modules:
        mine = [command.reads for command in COMMANDS.values() if command.module == module]
        assert variables_of(f"commands/{module}.py") <= {*RUNNER_VARIABLES}.union(*mine), module


def test_every_variable_that_a_workflow_sets_is_one_that_a_command_reads() -> None:
    declared = {name for command in COMMANDS.values() for name in command.reads}
    given = {name for *_, step in steps() for name in step.get("env", {})}
    assert len(given) > 10
    assert {name for name in given - declared if not name.startswith("SECRET_")} == set()


def test_every_output_that_a_workflow_reads_is_written_by_that_step() -> None:
    read = 0
    for name, job, step in steps():
        asked = re.findall(rf"steps\.{step.get('id', '-')}\.outputs\.(\w+)", str(job))
        assert {*asked} <= COMMANDS[step["with"]["command"]].writes.keys(), (name, step["name"])
        read += len(asked)
    assert read > 20


def reads() -> set[tuple[str, str]]:
    """The outputs of jobs that the program reads: the job and the output."""
    return {
        (text_of(node.args[0]), text_of(node.args[1]))
        for tree in PROGRAM.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith((".output", "self._list", "self._object"))
        and len(node.args) == 2
        and ast.unparse(node.args[0]) not in ("job", "self")
    }


COMMANDS_OF = {
    Job.PLAN: ("plan",),
    Job.APPROVE: ("approve",),
    Job.RELEASE: ("preflight", "monitor", "rollback"),
    Job.REVERT: ("revert",),
}
"""The commands whose outputs a job has."""


def test_every_output_that_the_program_reads_is_written_by_a_command_of_the_job() -> None:
    read = reads()
    assert len(read) > 20
    for job, name in read:
        written = {output for command in COMMANDS_OF[job] for output in COMMANDS[command].writes}
        assert name in written, f"no command of job {job} writes {name}"


def test_every_output_that_the_program_reads_is_one_of_the_job() -> None:
    """Of the generated workflows: the called one passes the outputs of its jobs on as JSON."""
    jobs = {**WORKFLOWS["staging.yml"]["jobs"], **WORKFLOWS["production.yml"]["jobs"]}
    called = WORKFLOWS["_deploy.yml"]
    for job in (Job.DEPLOY, Job.MONITOR, Job.ROLLBACK):
        passed = called[True]["workflow_call"]["outputs"][job]["value"]
        assert passed == f"${{{{ toJSON(jobs.{job}.outputs) }}}}"
    for job, name in reads():
        if job == Job.RELEASE:
            having = [called["jobs"][part].get("outputs", {}) for part in called["jobs"]]
        else:
            having = [WORKFLOWS[w]["jobs"].get(job, {}).get("outputs", {}) for w in
                      ("production.yml", "staging.yml")]  # fmt: skip
        if job in jobs:
            assert any(name in outputs for outputs in having), f"{job} has no output {name}"


def test_whoever_judges_a_run_gets_the_result_of_every_job_before_the_end() -> None:
    jobs = WORKFLOWS["production.yml"]["jobs"]
    assert set(jobs) - {Job.FINISH} == set(jobs[Job.FINISH]["needs"])
    commands = [step.get("with", {}).get("command") for step in jobs[Job.FINISH]["steps"]]
    assert [name for name in commands if name] == ["audit", "notify", "verdict"]
    for step in jobs[Job.FINISH]["steps"]:
        if step.get("with", {}).get("command") in ("notify", "verdict"):
            assert step["env"][Variable.NEEDS] == "${{ toJSON(needs) }}"
            assert step["env"][Variable.STEPS] == "${{ toJSON(steps) }}"

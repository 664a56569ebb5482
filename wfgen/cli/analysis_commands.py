"""The commands about what pipelines do: simulate, verify, graph. Imports are lazy here too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wfgen.cli.console import WITH_SARIF, is_document, say, style
from wfgen.cli.plain_commands import Directory, FormatOfFindings, Quiet, root_of
from wfgen.errors import EXIT_CLEAN, EXIT_FINDINGS, WfgenError
from wfgen.findings import did_you_mean
from wfgen.release_program import names

if TYPE_CHECKING:
    from wfgen.checks.scenarios.pipeline import Pipeline

Name = Annotated[str, typer.Argument(help="A workflow: its name (production), or its path.")]


def simulate_(
    pipeline: Name,
    event: Annotated[str, typer.Option("--event", help="What starts it: push, fork ...")] = "",
    fail: Annotated[list[str] | None, typer.Option("--fail", help="JOB or JOB:STEP fails.")] = None,
    cancel: Annotated[
        list[str] | None,
        typer.Option("--cancel", help="The run is cancelled during JOB; run: before any job."),
    ] = None,
    timeout: Annotated[
        list[str] | None, typer.Option("--timeout", help="JOB takes longer than it may.")
    ] = None,
    reject: Annotated[
        list[str] | None, typer.Option("--reject", help="A reviewer refuses JOB.")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", help="The condition of JOB is false.")
    ] = None,
    output: Annotated[
        list[str] | None, typer.Option("--output", help="JOB.NAME=VALUE: an output of a job.")
    ] = None,
    directory: Directory = None,
    format_: Annotated[str | None, typer.Option("--format", help="text or json.")] = None,
) -> int:
    """Show what the jobs do when some of them fail.

    Each job with its result and why; what the cluster is on at the end, who is notified, what is
    opened. A job of a called workflow is named release/monitor, or monitor where that is clear.
    """
    as_json = _is_json(format_)
    from wfgen.checks.scenarios import table
    from wfgen.checks.scenarios.scenario import scenario, simulate

    opened = _open(root_of(directory), pipeline)
    ends = [
        (option, each)
        for option, named in (
            ("--fail", fail), ("--cancel", cancel), ("--timeout", timeout), ("--reject", reject)
        )
        for each in named or ()
    ]  # fmt: skip
    story = simulate(opened, scenario(opened, event, ends, output or (), skip or ()))
    say(table.as_json(story) if as_json else table.as_text(story))
    return EXIT_CLEAN


def verify_(
    directory: Directory = None,
    workflow: Annotated[
        list[str] | None,
        typer.Option("--workflow", help="A file of any make, with roles in comments."),
    ] = None,
    format_: FormatOfFindings = None,
    quiet: Quiet = False,
) -> int:
    """Try every outcome of every job against the safety properties.

    All generated pipelines, as they lie in the repository. Exit code 1 where a property does not
    hold: then with the smallest counterexample, as a command that shows it.
    """
    from wfgen.checks import proof as verify
    from wfgen.report import text as report

    form = style(format_, WITH_SARIF)
    root = root_of(directory)
    if workflow:
        pipelines = tuple(_open(root, each) for each in workflow)
        verify.demand_roles(pipelines)
    else:
        pipelines = verify.generated(root)
    proof = verify.prove(pipelines)
    if is_document(form) or proof.broken:
        say(report.proof(proof, form))
    summary = verify.summary(proof)
    report.write_step_summary(f"wfgen verify: {summary[-1]}", report.proof_blocks(proof))
    if not is_document(form):
        say("\n".join(summary), quiet)
    return EXIT_FINDINGS if proof.broken else EXIT_CLEAN


def graph(
    pipeline: Name,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", help='Colour it by a run: the options of simulate, "--fail X".'),
    ] = None,
    form: Annotated[str, typer.Option("--as", help="mermaid, dot or svg.")] = "mermaid",
    directory: Directory = None,
) -> int:
    """Draw a pipeline, and what a run of it comes to.

    Mermaid is shown by GitHub in any Markdown: put it into a block of that name.
    """
    from wfgen.checks.scenarios import picture
    from wfgen.checks.scenarios.scenario import read_options, simulate

    if form not in picture.FORMS:
        raise WfgenError(f"--as {form}: expected mermaid, dot or svg")
    opened = _open(root_of(directory), pipeline)
    story = simulate(opened, read_options(opened, scenario)) if scenario is not None else None
    say(picture.draw(picture.drawing(opened.workflow, story), form))
    return EXIT_CLEAN


ANALYSIS_COMMANDS = {"simulate": simulate_, "verify": verify_, "graph": graph}


def _is_json(asked: str | None) -> bool:
    """Raises `WfgenError` for a form that a simulated run cannot be shown in."""
    if asked not in (None, "text", "json"):
        raise WfgenError(f"--format {asked}: expected text or json")
    return asked == "json"


def _open(root: Path, named: str) -> Pipeline:
    """The workflow of a name, or of a path from here or from the repository's root."""
    from wfgen.actions import WorkflowError, folder_reader
    from wfgen.checks.scenarios.pipeline import read_pipeline

    path, below = named, root
    if not named.endswith((".yml", ".yaml")):
        path = names.workflow(named)
        if not (root / path).is_file():
            known = sorted(each.stem for each in (root / names.WORKFLOWS).glob("*.yml"))
            raise WfgenError(f"no workflow {named}; {did_you_mean(named, known)}")
    elif not (root / path).is_file() and Path(path).is_file():
        below, path = Path.cwd(), Path(path).resolve().relative_to(Path.cwd()).as_posix()
    try:
        return read_pipeline(path, folder_reader(below))
    except (WorkflowError, OSError) as error:
        raise WfgenError(str(error)) from error

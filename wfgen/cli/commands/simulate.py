"""Show what the jobs do when some of them fail.

Prints each job with its result and the reason (values in brackets), then what runs in the cluster,
who is notified and what is opened. Name a job of a called workflow release/monitor, or monitor
where it is unique.
"""

from __future__ import annotations

from typing import Annotated

from wfgen.checks.scenarios import table
from wfgen.checks.scenarios.scenario import scenario, simulate
from wfgen.cli.commands._workflow import open_workflow
from wfgen.cli.console import echo
from wfgen.cli.declared import Option
from wfgen.cli.options import Directory, Pipeline, find_root
from wfgen.errors import EXIT_CLEAN, WfgenError

Jobs = list[str] | None
Event = Annotated[str, Option("--event", help="What starts the run: push, fork ...")]
Fail = Annotated[Jobs, Option("--fail", help="JOB or JOB:STEP fails.")]
Cancel = Annotated[
    Jobs, Option("--cancel", help="The run is cancelled during JOB; run: before any job.")
]
Timeout = Annotated[Jobs, Option("--timeout", help="JOB exceeds its timeout.")]
Reject = Annotated[Jobs, Option("--reject", help="A reviewer rejects JOB.")]
Skip = Annotated[Jobs, Option("--skip", help="The condition of JOB is false.")]
Output = Annotated[Jobs, Option("--output", help="JOB.NAME=VALUE: an output of a job.")]
Format = Annotated[str, Option("--format", help="text or json.")]


def run(
    pipeline: Pipeline,
    event: Event = "",
    fail: Fail = None,
    cancel: Cancel = None,
    timeout: Timeout = None,
    reject: Reject = None,
    skip: Skip = None,
    output: Output = None,
    directory: Directory = None,
    format_: Format = "text",
) -> int:
    if format_ not in ("text", "json"):
        raise WfgenError(f"--format {format_}: expected text or json")
    opened = open_workflow(find_root(directory), pipeline)
    options = {"--fail": fail, "--cancel": cancel, "--timeout": timeout, "--reject": reject}
    ends = [(option, job) for option, jobs in options.items() for job in jobs or ()]
    story = simulate(opened, scenario(opened, event, ends, output or (), skip or ()))
    echo(table.as_json(story) if format_ == "json" else table.as_text(story))
    return EXIT_CLEAN

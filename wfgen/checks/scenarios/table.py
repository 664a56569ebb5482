"""A run as a table for people, and as JSON for programs."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Iterator

from wfgen.actions import JobRun
from wfgen.checks.scenarios.aftermath import Aftermath, aftermath
from wfgen.checks.scenarios.events import described
from wfgen.checks.scenarios.story import Story

_WIDE = 100
"""Characters of a line; a longer word is not broken."""
_LEGEND = "[...]: the value of the expression before it"


def as_text(story: Story) -> str:
    """The jobs with results and reasons; what the cluster runs; who was notified."""
    after = aftermath(story)
    workflow, event = story.pipeline.workflow, story.event
    rows = [(job.path, result_of(story, job), job.why) for job in story.run.jobs.values()]
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    indent = " " * (sum(widths) + 4)
    lines = [f"{workflow.path}: {described(workflow, event)}"]
    if story.options:
        lines.append(" ".join(shlex.quote(option) for option in story.options))
    lines.append("")
    for path, result, why in rows:
        first, *more = _wrapped(why, _WIDE - len(indent)) or [""]
        lines.append(f"{path.ljust(widths[0])}  {result.ljust(widths[1])}  {first}".rstrip())
        lines += [indent + line for line in more]
    return "\n".join([*lines, _LEGEND, "", *_after(story, after)])


def _after(story: Story, after: Aftermath) -> Iterator[str]:
    yield f"result: {story.run.conclusion}"
    if after.cluster:
        yield "the cluster runs"
        width = max(map(len, after.cluster))
        yield from (f"  {name.ljust(width)}  {state}" for name, state in after.cluster.items())
    yield "notified: " + ("; ".join(after.notified) or "nobody")
    yield "opened: " + ("; ".join(after.opened) or "nothing")
    if after.verdict:
        yield f"verdict: {after.verdict.title}"
        yield from ("  " + line for line in _wrapped(after.verdict.text, _WIDE - 2))


def as_json(story: Story) -> str:
    """The same as JSON."""
    after = aftermath(story)
    verdict = after.verdict
    return json.dumps(
        {
            "workflow": story.pipeline.workflow.path,
            "event": story.event.kind,
            "options": list(story.options),
            "conclusion": story.run.conclusion,
            "green": story.run.conclusion == "success",
            "jobs": [
                {"job": job.path, "result": job.result, "began": job.began, "why": job.why}
                for job in story.run.jobs.values()
            ],
            "cluster": dict(after.cluster),
            "notified": list(after.notified),
            "opened": list(after.opened),
            "verdict": verdict
            and {"state": verdict.state, "title": verdict.title, "text": verdict.text},
        },
        indent=2,
    )


def result_of(story: Story, job: JobRun) -> str:
    """The result, with `timed out` or `rejected` where this is the cause."""
    choice = story.chosen.get(job.path)
    how = {"timeout": "timed out", "reject": "rejected"}.get(choice.kind if choice else "")
    return f"{job.result} ({how})" if how else job.result


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 40), break_long_words=False, break_on_hyphens=False)

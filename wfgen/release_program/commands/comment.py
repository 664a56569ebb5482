"""Previews and their pull requests: the comment, and the previews that are no longer needed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from typing import Any

from ..contract import load
from ..hosting.github import GitHub
from ..hosting.needs import Needs, read_json, run_address, table
from ..hosting.outputs import log, notice, write_output
from ..names import Job, Output, Variable
from ..state import endings
from ..state.outcome import judge

PERMISSION = "pull-requests: write"


def comment() -> int:
    """Writes the preview's address and result into one comment of the pull request.

    The comment has a hidden marker and a bot as its author, and is updated in place. Pull requests
    of forks and bots get none: their token cannot write. A run without a preview, such as one for
    another label, leaves the comment of an earlier run unchanged.
    """
    description, needs = load(), Needs.load()
    number = needs.output(Job.PLAN, Output.NUMBER)
    if not number.isdigit() or needs.output(Job.PLAN, Output.TRUSTED) != "true":
        log("no comment: the token cannot write to this pull request")
        return 0
    if needs.output(Job.PLAN, Output.PROPOSED) != "true":
        log("no comment: this run proposed no preview")
        return 0
    verdict = judge(description, needs)
    images = needs.images(description)
    address = (description.url or "").replace("{number}", number)
    marker = f"<!-- wfgen:preview:{description.environment} -->"
    lines = [
        marker,
        f"### {verdict.title}",
        *([f"**{address}**"] if address else []),
        verdict.text,
        table(["service", "image"], [(n, f"`{images[n]}`") for n in needs.services if n in images]),
        f"Commit {endings.sha(needs)}, [run]({run_address()})",
    ]
    body = {"body": "\n\n".join(lines)}
    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    for present in github.pages(f"issues/{number}/comments", PERMISSION):
        if (present.get("body") or "").startswith(marker) and present["user"]["type"] == "Bot":
            if present["body"] != body["body"]:
                github.patch(f"issues/comments/{present['id']}", body, PERMISSION)
            log(f"comment {present['id']} of pull request {number} is up to date")
            return 0
    github.post(f"issues/{number}/comments", body, PERMISSION)
    log(f"commented on pull request {number}")
    return 0


def closed() -> int:
    """Lists the previews to tear down: expired, or without an open, labelled pull request.

    If the open pull requests cannot be listed, no preview is torn down.
    """
    wanted = load().label
    previews = read_json(Variable.NAMESPACES) or []
    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    labels = {
        str(request["number"]): [label["name"] for label in request["labels"]]
        for request in github.pages("pulls?state=open", "pull-requests: read")
    }
    numbers = []
    for preview in previews:
        number = str(preview["number"])
        if reason := _end(preview, labels.get(number), wanted):
            notice(f"preview {number}: {reason}")
            numbers.append(number)
    write_output(Output.NUMBERS, json.dumps(numbers))
    return 0


def _end(preview: dict[str, Any], labels: Sequence[str] | None, wanted: str | None) -> str:
    """Why a preview is torn down; '' where it stays. `labels` is None without a pull request."""
    if labels is None:
        return "its pull request is not open"
    if wanted and wanted not in labels:
        return f"its pull request does not have the label {wanted}"
    if 0 < int(preview.get("expires") or 0) < time.time():
        return "it has expired"
    return ""

"""Previews and their pull requests: the one comment, and which previews are left over."""

from __future__ import annotations

import json
import os
import time

from ..contract import load
from ..hosting.github import GitHub
from ..hosting.needs import Needs, read_json, run_address, table
from ..hosting.outputs import log, notice, write_output
from ..names import Job, Output, Variable
from ..state.outcome import judge

PERMISSION = "pull-requests: write"


def comment() -> int:
    """Writes the preview's address and result into the pull request, in one comment for ever.

    The comment is known by a hidden marker and by having been written by a bot; it is changed in
    place. Nothing for a fork's or a bot's pull request, whose token may only read.
    """
    description, needs = load(), Needs.load()
    number = needs.output(Job.PLAN, Output.NUMBER)
    if not number.isdigit() or needs.output(Job.PLAN, Output.TRUSTED) != "true":
        log("no pull request that this token may write to")
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
        f"Commit {needs.output(Job.PLAN, Output.SHA)}, [run]({run_address()})",
    ]
    body = {"body": "\n\n".join(lines)}
    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    for old in github.pages(f"issues/{number}/comments", PERMISSION):
        if (old.get("body") or "").startswith(marker) and old["user"]["type"] == "Bot":
            if old["body"] != body["body"]:
                github.patch(f"issues/comments/{old['id']}", body, PERMISSION)
            return 0
    github.post(f"issues/{number}/comments", body, PERMISSION)
    return 0


def closed() -> int:
    """Says which previews are to be torn down: past their time, or not asked for any more.

    All open pull requests are listed once; where that fails nothing is torn down.
    """
    previews = read_json(Variable.NAMESPACES) or []
    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    pages = github.pages("pulls?state=open", "pull-requests: read")
    labels = {
        str(request["number"]): [label["name"] for label in request["labels"]] for request in pages
    }
    wanted = load().label
    numbers = []
    for preview in previews:
        number, expires = str(preview["number"]), int(preview.get("expires") or 0)
        if number not in labels:
            notice(f"preview {number}: its pull request is not open")
        elif wanted and wanted not in labels[number]:
            notice(f"preview {number}: its pull request has no label {wanted}")
        elif 0 < expires < time.time():
            notice(f"preview {number}: past its time")
        else:
            continue
        numbers.append(number)
    write_output(Output.NUMBERS, json.dumps(numbers))
    return 0

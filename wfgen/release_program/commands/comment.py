"""Previews and their pull requests: the one comment, and which previews are left over."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

from ..contract import load
from ..hosting.github import GitHub
from ..hosting.needs import Needs, read_json, run_address, table
from ..hosting.outputs import log, notice, write_output
from .verdict import judge

PERMISSION = "pull-requests: write"


def comment() -> int:
    """Writes the preview's address and result into the pull request, in one comment for ever.

    The comment is known by a hidden marker and by having been written by a bot; it is changed in
    place. Nothing for a fork's or a bot's pull request, whose token may only read.

    Reads: WFGEN_DESCRIPTION, WFGEN_NEEDS (toJSON(needs): plan, images, release), GITHUB_TOKEN
    (pull-requests: write), GITHUB_REPOSITORY, GITHUB_RUN_ID. Writes no outputs.
    """
    description, needs = load(), Needs.load()
    number = needs.output("plan", "number")
    if not number.isdigit() or needs.output("plan", "trusted") != "true":
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
        f"Commit {needs.output('plan', 'sha')}, [run]({run_address()})",
    ]
    body = {"body": "\n\n".join(lines)}
    github = GitHub(os.environ.get("GITHUB_TOKEN", ""))
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

    Reads: WFGEN_DESCRIPTION, WFGEN_NAMESPACES (output of `previews`: number, expires in seconds
    since 1970), GITHUB_TOKEN (pull-requests: read), GITHUB_REPOSITORY. Writes: numbers (JSON list).
    """
    previews = read_json("WFGEN_NAMESPACES") or []
    github = GitHub(os.environ.get("GITHUB_TOKEN", ""))
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
    write_output("numbers", json.dumps(numbers))
    return 0


COMMANDS: dict[str, Callable[[], int]] = {"comment": comment, "closed": closed}

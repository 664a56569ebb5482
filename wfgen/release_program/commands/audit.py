"""What stays of a release in the repository: an annotated tag, GitHub deployments, a summary."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from .. import names
from ..contract import Description, load
from ..failure import Failure
from ..hosting.github import GitHub, GitHubError
from ..hosting.needs import Needs, run_address, table
from ..hosting.outputs import add_summary, error, log
from ..names import Job, Output, Variable
from ..state import tags
from ..state.outcome import judge

CONTENTS = "contents: write"
DEPLOYMENTS = "deployments: write"


def audit() -> int:
    """Records how a release ended: an annotated tag, GitHub deployments, the run's summary.

    The tag is deploy/<environment>/<n> on a good release, rollback/<environment>/<n> on one that
    was undone. A rollback is a GitHub deployment of its own, of the commit restored, and names the
    one that failed. A second run finds what the first one made.
    """
    description, needs = load(), Needs.load()
    number = needs.output(Job.RELEASE, Output.RELEASE)
    verified = needs.output(Job.RELEASE, Output.VERIFIED) == "true"
    restored = needs.output(Job.RELEASE, Output.RESTORED)
    undone = restored == "all" or restored.startswith("except")
    if not number.isdigit() or needs.output(Job.RELEASE, Output.STALE) == "true":
        log("no release began: nothing to record")
        return 0
    sha = needs.output(Job.PLAN, Output.SHA)
    images = needs.images(description)
    rows = [(name, images.get(name, "-")) for name in {**dict.fromkeys(needs.services), **images}]
    title = judge(description, needs).title
    add_summary(f"### {title}\n\n" + table(["service", "image"], rows))

    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    services = {name: {"sha": sha, "image": images.get(name)} for name, _ in rows}
    facts: dict[str, Any] = {
        "release": int(number),
        "sha": sha,
        "services": services,
        "run": run_address(),
        "actor": os.environ.get(Variable.ACTOR, ""),
    }
    complaints = []
    try:
        if verified:
            tag = names.deploy_tag(description.environment, number)
            _tag(github, tag, sha, title, facts)
        elif undone:
            facts["restored"] = restored
            facts["restored_sha"] = needs.output(Job.RELEASE, Output.LKG_SHA)
            facts["cause"] = needs.output(Job.RELEASE, Output.CAUSE)
            tag = names.rollback_tag(description.environment, number)
            _tag(github, tag, sha, title, facts)
    except Failure as failure:
        complaints.append(str(failure))
    try:
        state = "success" if verified else "error" if restored == "failed" else "failure"
        key = {"release": int(number), "run": run_address()}
        made = _deployment(github, description, sha, "deploy", key, state, title)
        back = needs.output(Job.RELEASE, Output.LKG_SHA)
        if undone and back:
            key = {**key, "failed_deployment": made, "failed_sha": sha}
            state = "success" if restored == "all" else "failure"
            words = f"back on this commit after release {number} failed, restored: {restored}"
            _deployment(github, description, back, "rollback", key, state, words)
    except Failure as failure:
        complaints.append(str(failure))
    for complaint in complaints:
        error(complaint)
    return 1 if complaints else 0


def _tag(github: GitHub, name: str, sha: str, title: str, facts: Mapping[str, Any]) -> None:
    """Makes an annotated tag; one that says the same already is as good. Raises `Failure`."""
    text = f"Run: {facts['run']}\nActor: {facts['actor']}"
    message = tags.message(title, text, facts)
    thing = github.post(
        "git/tags", {"tag": name, "message": message, "object": sha, "type": "commit"}, CONTENTS
    )
    try:
        github.post("git/refs", {"ref": f"refs/tags/{name}", "sha": thing["sha"]}, CONTENTS)
        log(f"tag {name} on {sha}")
    except GitHubError as refusal:
        if refusal.status == 403:
            # Where the commit changes workflow files and no branch ends in it, GitHub also asks for
            # a permission that the default token cannot have: https://github.com/cli/cli/issues/9514
            raise Failure(
                f"{refusal}. If the commit changes .github/workflows and no branch ends in it, "
                "only an App's token with `workflows: write` may tag it"
            ) from refusal
        if refusal.status != 422 or "already exists" not in str(refusal):
            raise
        present = github.get(f"git/ref/tags/{name}", CONTENTS)["object"]
        said: dict[str, Any] = {}
        if present["type"] == "tag":
            said = github.get(f"git/tags/{present['sha']}", CONTENTS)
        same = said.get("message", "").strip() == message.strip()
        if not same or said["object"]["sha"] != sha:
            raise Failure(
                f"tag {name} exists and says something else; it was left as it is"
            ) from refusal
        log(f"tag {name} was there already")


def _deployment(
    github: GitHub,
    description: Description,
    sha: str,
    task: str,
    payload: Mapping[str, Any],
    state: str,
    words: str,
) -> int:
    """The id of a GitHub deployment with this status; made unless this run made it before."""
    asked = f"deployments?sha={sha}&task={task}&environment={description.environment}"
    same = (d["id"] for d in github.pages(asked, DEPLOYMENTS) if _payload(d) == payload)
    made = next(same, None)
    if made is None:
        body = {
            "ref": sha,
            "task": task,
            "environment": description.environment,
            "description": words[:140],
            "payload": payload,
            # The commit is live: neither may GitHub merge anything, nor ask for checks first.
            "auto_merge": False,
            "required_contexts": [],
            "production_environment": not description.preview,
        }
        made = github.post("deployments", body, DEPLOYMENTS)["id"]
    status = {
        "state": state,
        "description": words[:140],
        "log_url": run_address(),
        "environment_url": description.address,
    }
    github.post(f"deployments/{made}/statuses", status, DEPLOYMENTS)
    log(f"GitHub deployment {made} of {sha}: {state}")
    return int(made)


def _payload(deployment: Mapping[str, Any]) -> Any:
    """A deployment's payload; GitHub gives it back as text or as an object."""
    payload = deployment.get("payload")
    try:
        return json.loads(payload) if isinstance(payload, str) else payload
    except ValueError:
        return None

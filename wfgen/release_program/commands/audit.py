"""What a release leaves in the repository: an annotated tag, GitHub deployments, a summary."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..contract import Description, load
from ..failure import Failure
from ..hosting.github import GitHub, GitHubError
from ..hosting.needs import Needs, run_address, table
from ..hosting.outputs import add_summary, error, log
from ..names import Job, Output, Variable, deploy_tag, rollback_tag
from ..state import endings, tags

CONTENTS = "contents: write"
DEPLOYMENTS = "deployments: write"


@dataclass(frozen=True)
class Ended:
    """A release that started, and how it ended."""

    number: int
    sha: str
    title: str
    """Depends on the release alone, not on the attempt that records it."""
    images: Mapping[str, str | None]
    """By service; None where it is not built here."""
    verified: bool
    restored: str
    """The output of the rollback; '' where it did not run."""
    good_sha: str
    """The commit of the last known good release; '' where there is none."""
    cause: str
    held: bool
    """Whether it went back to a release, which is held from then on."""

    @property
    def rolled_back(self) -> bool:
        """Whether services were restored."""
        return self.restored == "all" or self.restored.startswith("except")

    @property
    def state(self) -> str:
        """The state of its GitHub deployment."""
        return "success" if self.verified else "error" if self.restored == "failed" else "failure"


def audit() -> int:
    """Records how a release ended: an annotated tag, GitHub deployments, the run's summary.

    The tag is deploy/<environment>/<n> for a good release, rollback/<environment>/<n> for one that
    was rolled back. A rollback is a separate GitHub deployment, of the restored commit, whose
    payload names the failed one. Release and images are those of the highest attempt that wrote
    any, so a re-run of this job alone completes what is missing, and changes nothing else. Exits 1
    if something was not recorded.
    """
    description, needs = load(), Needs.load()
    release = _read(description, needs)
    if release is None:
        log("no release started: nothing to record")
        return 0
    rows = [(service, image or "-") for service, image in release.images.items()]
    add_summary(f"### {release.title}\n\n" + table(["service", "image"], rows))
    github = GitHub(os.environ.get(Variable.TOKEN, ""))
    code = 0
    for record in (_record_tag, _record_deployments):
        try:
            record(github, description, release)
        except Failure as failure:
            error(str(failure))
            code = 1
    return code


def _read(description: Description, needs: Needs) -> Ended | None:
    """The release of this run; None where none started."""
    number = needs.output(Job.RELEASE, Output.RELEASE)
    if not number.isdigit():
        return None
    restored = needs.output(Job.RELEASE, Output.RESTORED)
    verified = needs.output(Job.RELEASE, Output.VERIFIED) == "true" or restored == "verified"
    ended = "is live" if verified else "was not verified"
    if restored and restored != "verified":
        ended = f"failed; restored: {restored}"
    images = needs.images(description)
    built = needs.built(description)
    alone = [s.name for s in description.services.values() if not s.deploy and s.name in built]
    return Ended(
        number=int(number),
        sha=endings.sha(needs),
        title=f"{description.environment}: release {number} {ended}",
        images={
            **{service: images.get(service) for service in needs.released},
            # Built and not deployed: the next plan needs its commit to know that it is unchanged.
            **{service: built[service] for service in alone},
        },
        verified=verified,
        restored=restored,
        good_sha=needs.output(Job.RELEASE, Output.LKG_SHA),
        cause=needs.output(Job.RELEASE, Output.CAUSE),
        held=bool(needs.output(Job.PLAN, Output.GO_BACK)),
    )


def _record_tag(github: GitHub, description: Description, release: Ended) -> None:
    """The tag of a release that is live or was rolled back. Raises `Failure`."""
    number = str(release.number)
    facts: dict[str, Any] = {
        "release": release.number,
        "sha": release.sha,
        "services": {
            service: {"sha": release.sha, "image": image}
            for service, image in release.images.items()
        },
        "run": run_address(),
        "actor": os.environ.get(Variable.ACTOR, ""),
    }
    if release.verified:
        if release.held:
            facts["held"] = True
        _tag(github, deploy_tag(description.environment, number), release, facts)
    elif release.rolled_back:
        facts["restored"] = release.restored
        facts["restored_sha"] = release.good_sha
        facts["cause"] = release.cause
        _tag(github, rollback_tag(description.environment, number), release, facts)


def _tag(github: GitHub, name: str, release: Ended, facts: Mapping[str, Any]) -> None:
    """Creates an annotated tag, unless an equal one exists. Raises `Failure`."""
    sha = release.sha
    message = tags.message(release.title, f"Run: {facts['run']}\nActor: {facts['actor']}", facts)
    body = {"tag": name, "message": message, "object": sha, "type": "commit"}
    tag = github.post("git/tags", body, CONTENTS)
    try:
        github.post("git/refs", {"ref": f"refs/tags/{name}", "sha": tag["sha"]}, CONTENTS)
        log(f"created tag {name} on {sha}")
    except GitHubError as refusal:
        if refusal.status == 403:
            # Where the commit changes workflow files and no branch ends in it, GitHub also asks for
            # a permission that the default token cannot have: https://github.com/cli/cli/issues/9514
            raise Failure(
                f"{refusal}. If the commit changes .github/workflows and no branch ends in it, "
                "only an App's token with `workflows: write` can tag it"
            ) from refusal
        if refusal.status != 422 or "already exists" not in str(refusal):
            raise
        if not _is_same_tag(github, name, facts, sha):
            text = f"tag {name} already exists with other contents; it was not changed"
            raise Failure(text) from refusal
        log(f"tag {name} already exists")


def _is_same_tag(github: GitHub, name: str, facts: Mapping[str, Any], sha: str) -> bool:
    """Whether a tag is on the commit and has these facts."""
    present = github.get(f"git/ref/tags/{name}", CONTENTS)["object"]
    if present["type"] != "tag":  # a lightweight tag has no message
        return False
    tag = github.get(f"git/tags/{present['sha']}", CONTENTS)
    return bool(tags.facts(tag["message"]) == facts and tag["object"]["sha"] == sha)


def _record_deployments(github: GitHub, description: Description, release: Ended) -> None:
    """The GitHub deployment of a release, and of its rollback. Raises `Failure`."""
    payload: dict[str, Any] = {"release": release.number, "run": run_address()}
    deployment = _Deployment(release.sha, "deploy", payload, release.state, release.title)
    failed = _deploy(github, description, deployment)
    if release.rolled_back and release.good_sha:
        payload = {**payload, "failed_deployment": failed, "failed_sha": release.sha}
        state = "success" if release.restored == "all" else "failure"
        text = f"rolled back after release {release.number} failed; restored: {release.restored}"
        back = _Deployment(release.good_sha, "rollback", payload, state, text)
        _deploy(github, description, back)


@dataclass(frozen=True)
class _Deployment:
    """https://docs.github.com/en/rest/deployments/deployments"""

    sha: str
    task: str
    payload: Mapping[str, Any]
    """Identifies it: a re-run finds the deployment with the same payload."""
    state: str
    text: str


def _deploy(github: GitHub, description: Description, deployment: _Deployment) -> int:
    """The id of a GitHub deployment with this status; created unless a re-run finds it."""
    query = f"sha={deployment.sha}&task={deployment.task}&environment={description.environment}"
    present = github.pages(f"deployments?{query}", DEPLOYMENTS)
    number = next((d["id"] for d in present if _payload(d) == deployment.payload), None)
    if number is None:
        body = {
            "ref": deployment.sha,
            "task": deployment.task,
            "environment": description.environment,
            "description": deployment.text[:140],
            "payload": deployment.payload,
            # The commit is live: GitHub must neither merge anything nor wait for checks.
            "auto_merge": False,
            "required_contexts": [],
            "production_environment": not description.preview,
        }
        number = github.post("deployments", body, DEPLOYMENTS)["id"]
    status = {
        "state": deployment.state,
        "description": deployment.text[:140],
        "log_url": run_address(),
        "environment_url": description.address,
    }
    github.post(f"deployments/{number}/statuses", status, DEPLOYMENTS)
    log(f"GitHub deployment {number} of {deployment.sha}: {deployment.state}")
    return int(number)


def _payload(deployment: Mapping[str, Any]) -> Any:
    """A deployment's payload, which GitHub returns as text or as an object."""
    payload = deployment.get("payload")
    try:
        return json.loads(payload) if isinstance(payload, str) else payload
    except ValueError:
        return None

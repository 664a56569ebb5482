"""What a run builds and releases, and with which images: `plan` and `images`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .. import names
from ..contract import Description, Service, load
from ..failure import Failure
from ..hosting import git
from ..hosting.event import PullRequest, pull_request
from ..hosting.needs import Needs, is_image_of, read_json, table
from ..hosting.outputs import add_summary, log, notice, write_output
from ..names import Job, Output, Variable
from ..state import tags


@dataclass(frozen=True)
class Change:
    """Why a service is released, and whether its image must be built again."""

    reason: str
    rebuild: bool


def plan() -> int:
    """Decides which services to build and release: those that changed since the last good release.

    A service has changed if no deploy tag has it, if its tag's commit is not in this clone, or if a
    path that it watches differs from that commit (added, removed and renamed files too). What a
    failed run did not release is therefore still a change in the next run. External services that
    a changed one depends on are released too: they are checked first. A preview has all services,
    with the base environment's images for those that the pull request does not change. Going back
    to a release builds nothing; services with `rollback: never` keep what they run unless
    WFGEN_SERVICES names them. The checkout needs all history and tags (fetch-depth: 0).
    """
    description = load()
    scope = _scope(description)
    environment = os.environ.get(Variable.BASE_ENVIRONMENT) or description.environment
    known = tags.releases(description, environment)
    write_output(Output.PREVIOUS, known[0].tag if known else "")
    go_back = os.environ.get(Variable.GO_BACK, "").strip()
    if go_back:
        return _go_back(description, scope, known, go_back)

    request = pull_request() if description.preview else None
    sha = request.sha if request else _sha(description)
    recorded: dict[str, tags.Recorded | None] = {}
    for release in reversed(known):
        recorded.update(release.services)
    changes: dict[str, Change] = {}
    for service in scope:
        change = _change(description, service, recorded.get(service.name), sha)
        if change:
            changes[service.name] = change

    services = [s.name for s in scope if s.deploy]
    if request is None:
        services = _to_release(description, [name for name in services if name in changes])
    if not services:
        notice(f"nothing to release to {description.environment}: no service has changed")
    elif request and description.label and description.label not in request.labels:
        services = []
        notice(f"the pull request does not have the label {description.label}: no preview")
    elif request and not request.trusted:
        services = []
        notice("the pull request is closed, or comes from a fork or a bot: nothing is deployed")
    kept = [s for s in scope if s.name not in changes or not changes[s.name].rebuild]
    entries = {service.name: recorded.get(service.name) for service in kept}
    _write(
        sha=sha,
        services=services,
        build=[s.name for s in scope if s.built and s not in kept],
        images={name: entry.image for name, entry in entries.items() if entry and entry.image},
        request=request,
    )
    rows = [(s.name, changes[s.name].reason if s.name in changes else "unchanged") for s in scope]
    for name, reason in rows:
        log(f"{name}: {reason}")
    add_summary(f"### Plan for {description.environment}\n\n" + table(["service", "change"], rows))
    return 0


def _to_release(description: Description, changed: Sequence[str]) -> list[str]:
    """The services that changed, and the external services that they depend on."""
    needed = {n for n in description.needed_by(changed) if description.services[n].external}
    return [service.name for service in description.in_order({*changed, *needed})]


def _write(
    *,
    sha: str,
    services: Sequence[str],
    images: Mapping[str, str],
    build: Sequence[str] = (),
    go_back: str = "",
    request: PullRequest | None = None,
) -> None:
    write_output(Output.ANY, "true" if services else "false")
    write_output(Output.SHA, sha)
    write_output(Output.SERVICES, json.dumps(list(services)))
    write_output(Output.BUILD, json.dumps(list(build)))
    write_output(Output.IMAGES, json.dumps(images, sort_keys=True))
    write_output(Output.GO_BACK, go_back)
    write_output(Output.TRUSTED, "true" if request is None or request.trusted else "false")
    write_output(Output.NUMBER, request.number if request else "")


def _scope(description: Description) -> list[Service]:
    """The services that this run considers. Raises `Failure` for an unknown name."""
    wanted = [name for name in re.split(r"[,\s]+", os.environ.get(Variable.SERVICES, "")) if name]
    unknown = [name for name in wanted if name not in description.services]
    if unknown:
        raise Failure(
            f"unknown service {', '.join(unknown)}; "
            f"{description.environment} has {', '.join(description.services)}"
        )
    return description.in_order(wanted or list(description.services))


def _change(
    description: Description, service: Service, last: tags.Recorded | None, sha: str
) -> Change | None:
    """What changed in a service since its last release; None for nothing."""
    if os.environ.get(Variable.FORCE) == "true":
        return Change("released by force", True)
    if last is None:
        return Change("no earlier release", True)
    if last.sha == sha:
        return None
    if not git.commit(last.sha):
        return Change(f"its commit {last.sha[:12]} is not in this clone", True)
    if _differs(last.sha, sha, service.watch):
        return Change(f"changed since {last.sha[:12]}", True)
    if service.deploy and _differs(last.sha, sha, (*service.manifests, *description.watch)):
        return Change(f"manifests changed since {last.sha[:12]}", False)
    return None


def _differs(old: str, new: str, paths: Sequence[str]) -> bool:
    """Whether anything under `paths` differs; True also if git fails."""
    if not paths:  # without paths, git compares everything
        return False
    # --no-renames: a file that moved out of the paths counts as removed.
    options = ("--quiet", "--no-renames", "--no-ext-diff")
    return git.run("diff", *options, old, new, "--", *paths).returncode != 0


def _sha(description: Description) -> str:
    """The commit to release: WFGEN_REF, or the commit of the run. Raises `Failure`."""
    ref = os.environ.get(Variable.REF, "").strip()
    if not ref:
        sha = os.environ.get(Variable.COMMIT) or git.read("rev-parse", "HEAD")
        if os.environ.get(Variable.EVENT_NAME) == "workflow_dispatch":
            _demand_merged(description, sha, sha)
        return sha
    candidates = [f"refs/remotes/origin/{ref}", f"refs/tags/{ref}"]
    if re.fullmatch(r"[0-9a-f]{7,40}", ref):
        candidates.append(ref)
    # A name, never an expression (main~3, main@{yesterday}) that git would evaluate.
    named = git.run("check-ref-format", candidates[0]).returncode == 0
    sha = next(filter(None, map(git.commit, candidates)), "") if named else ""
    if not sha:
        raise Failure(f"unknown ref {ref!r}: use a branch, tag or commit of this repository")
    _demand_merged(description, sha, ref)
    return sha


def _demand_merged(description: Description, sha: str, name: str) -> None:
    """Raises `Failure` unless the default branch contains the commit."""
    branch = f"refs/remotes/origin/{description.default_branch}"
    if not git.commit(branch):
        raise Failure(f"this clone has no {branch}: actions/checkout needs fetch-depth: 0")
    if not git.is_ancestor(sha, branch):
        raise Failure(
            f"{name} is not merged into {description.default_branch}: only merged commits can be "
            f"released to {description.environment}"
        )


def _go_back(
    description: Description, scope: Sequence[Service], known: Sequence[tags.Release], number: str
) -> int:
    """The plan for going back to a recorded release. Raises `Failure`."""
    release = next((release for release in known if str(release.number) == number), None)
    if release is None:
        newest = ", ".join(str(release.number) for release in known[:10]) or "none"
        raise Failure(
            f"release {number!r} of {description.environment} not found; known releases: {newest}"
        )
    _demand_merged(description, release.sha, release.tag)
    named = bool(os.environ.get(Variable.SERVICES, "").strip())
    then: dict[str, tags.Recorded | None] = {}
    for earlier in reversed(known):  # a release has what changed; the rest is older
        if earlier.number <= release.number:
            then.update(earlier.services)
    entries = {
        s.name: then.get(s.name) for s in scope if s.deploy and (named or s.rollback == "auto")
    }
    if kept := [s.name for s in scope if s.deploy and s.name not in entries]:
        notice(f"{', '.join(kept)}: unchanged, because of `rollback: never`")
    missing = [name for name, entry in entries.items() if entry is None]
    if missing:
        problem = f"{release.tag} and earlier tags do not have {', '.join(missing)}"
        if named or len(missing) == len(entries):
            raise Failure(f"{problem}: cannot go back")
        notice(f"{problem}: unchanged")
    images = {name: entry.image for name, entry in entries.items() if entry and entry.image}
    services = [name for name in entries if name not in missing]
    _write(sha=release.sha, services=services, images=images, go_back=number)
    add_summary(f"### Going back to release {number}\n\nServices: {', '.join(services)}")
    return 0


def images() -> int:
    """Collects the image of each service, by digest: built by this run, or from `plan`.

    Fails if a service of the release has no image, and names the job that should have built it.
    Images of services that are built but not deployed are in the output too.
    """
    description = load()
    needs = Needs({**Needs.load().jobs, Job.PLAN: {"outputs": read_json(Variable.PLAN)}})
    complete = Needs({Job.PLAN: needs.jobs[Job.PLAN]}).images(description)
    problems = []
    for name, service in description.services.items():
        if name in needs.build:
            image = f"{service.repository}@{needs.output(names.build_job(name), Output.DIGEST)}"
            if is_image_of(service.repository, image):
                complete[name] = image
                continue
            complete.pop(name, None)
        if name in needs.services and service.built and name not in complete:
            job = names.build_job(name)
            result = needs.result(job) or "absent"
            problems.append(f"{name}: job {job} ({result}) wrote no digest")
    if problems:
        raise Failure("images are missing: " + "; ".join(problems))
    write_output(Output.IMAGES, json.dumps(complete, sort_keys=True))
    add_summary("### Images\n\n" + table(["service", "image"], complete.items()))
    return 0

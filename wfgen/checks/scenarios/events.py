"""The kinds of events that can start a run, each with its contexts.

https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wfgen.actions import Workflow
from wfgen.checks.scenarios.ending import SHA

REPOSITORY = "acme/shop"
_FORK = "somebody/shop"
_REQUESTS = ("pull_request", "pull_request_target")
_DEFAULT = ("opened", "synchronize", "reopened")
"""Activity types of pull_request where the workflow names none."""


@dataclass(frozen=True)
class Event:
    """A kind of event, for one workflow."""

    kind: str
    """Its name for `wfgen simulate --event`."""
    contexts: Mapping[str, Any]
    trusted: bool = True
    """Whether the run may have secrets and a token that writes."""
    lowered: bool = False
    """Whether GitHub lowers the run's token to read, whatever a job requests."""

    @property
    def name(self) -> str:
        """GitHub's name of the event."""
        return str(self.contexts["github"]["event_name"])

    @property
    def attempt(self) -> str:
        """The attempt of the run, from 1."""
        return str(self.contexts["github"]["run_attempt"])


_ALIKE = {
    "push": "",
    "schedule": "",
    "workflow_run": "",
    "force": "dispatch",
    "label_added": "pull_request",
    "unlabelled": "other_label",
}
"""Kinds that differ from others in their contexts alone, and like what; '' for most."""


def told_apart(reads: Iterable[str], event: Event) -> object:
    """A key: equal for events that a pipeline whose conditions read this cannot distinguish."""
    kind = _ALIKE.get(event.kind, event.kind)
    return kind, event.trusted, event.lowered, *(_read(event, name) for name in sorted(reads))


def _read(event: Event, name: str) -> str:
    value: Any = event.contexts
    for part in name.split("."):
        if isinstance(value, list):
            value = [item.get(part) for item in value if isinstance(item, dict)]
        elif part != "*":
            value = value.get(part) if isinstance(value, dict) else None
    return repr(value)


KINDS: Mapping[str, str] = {
    "push": "a push to the branch",
    "dispatch": "started by hand",
    "force": "started by hand with `force`",
    "go_back": "started by hand with `go_back` to a recorded release",
    "pull_request": "a pull request from a branch of the repository",
    "unlabelled": "a pull request from a branch of the repository, without labels",
    "label_added": "the preview's label is added to a pull request",
    "other_label": "another label is added to a pull request with the preview's label",
    "merge_group": "a merge queue tests pull requests",
    "fork": "a pull request from a fork",
    "dependabot": "a pull request from Dependabot",
    "closed": "a pull request from a branch of the repository is closed",
    "closed_fork": "a pull request from a fork is closed",
    "closed_dependabot": "a pull request from Dependabot is closed",
    "label_removed": "the label is removed from a pull request",
    "schedule": "the schedule",
    "workflow_run": "another workflow has ended",
    "rerun": "failed jobs of a run whose release failed after its deploy are re-run",
    "rerun_all": "all jobs of a run are re-run",
}
"""Kinds of events and their descriptions, in the order in which they are tried."""


def described(workflow: Workflow, event: Event) -> str:
    """What starts the run, with the branch of a push where the workflow names one."""
    branches: Any = (workflow.triggers.get("push") or {}).get("branches") or []
    branches = [branches] if isinstance(branches, str) else branches
    if event.kind == "push" and len(branches) == 1:
        return f"a push to `{branches[0]}`"
    return KINDS.get(event.kind, event.kind)


def events(workflow: Workflow, labels: tuple[str, ...] = (), run: int = 1) -> list[Event]:
    """The events that start a workflow. `run` counts from 1: runs of one event differ in commit.

    A trigger that is not in `KINDS` gives one event with GitHub's name.
    """
    return list(_events(workflow, labels, run))


def _events(workflow: Workflow, labels: tuple[str, ...], run: int) -> Iterator[Event]:
    triggers = workflow.triggers
    if "push" in triggers:
        yield Event("push", _contexts(workflow, "push", {}, run))
    if "workflow_dispatch" in triggers:
        yield from _by_hand(workflow, run)
    for name in _REQUESTS:
        if name in triggers:
            yield from _requests(workflow, name, labels, run)
    for name in triggers:
        if name not in ("push", "workflow_dispatch", "workflow_call", *_REQUESTS):
            yield Event(name, _contexts(workflow, name, _PAYLOADS.get(name, {}), run))
    for kind in ("rerun", "rerun_all") if "push" in triggers else ():
        yield Event(kind, _contexts(workflow, "push", {}, run, attempt="2"))


_PAYLOADS: Mapping[str, Mapping[str, Any]] = {
    "workflow_run": {
        "workflow_run": {"id": 99, "run_attempt": 1, "conclusion": "success"},
        "action": "completed",
    },
    "merge_group": {
        "merge_group": {"head_sha": SHA, "base_ref": "refs/heads/main"},
        "action": "checks_requested",
    },
}


def _by_hand(workflow: Workflow, run: int) -> Iterator[Event]:
    inputs = _dispatched(workflow)
    kinds: dict[str, dict[str, Any]] = {"dispatch": {}}
    kinds |= {"force": {"force": True}} if "force" in inputs else {}
    kinds |= {"go_back": {"go_back": "1"}} if "go_back" in inputs else {}
    for kind, given in kinds.items():
        yield Event(kind, _contexts(workflow, "workflow_dispatch", {}, run, {**inputs, **given}))


def _requests(workflow: Workflow, name: str, labels: tuple[str, ...], run: int) -> Iterator[Event]:
    trigger = workflow.triggers[name] or {}
    types = trigger.get("types") or _DEFAULT
    types = [types] if isinstance(types, str) else types

    def event(
        kind: str, action: str, author: str = "own", *, label: bool = True, changed: str = ""
    ) -> Event:
        payload = _request(action, labels if label else (), run, author)
        if changed:
            payload["label"] = {"name": changed}
        # A fork is untrusted under pull_request_target as well, although its run has secrets. The
        # token of Dependabot's runs has what `permissions` requests:
        # https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
        lowered = author == "fork" and name == "pull_request"
        contexts = _contexts(workflow, name, payload, run)
        return Event(kind, contexts, author == "own", lowered)

    if set(types) - {"closed", "unlabeled"}:
        action = next((known for known in types if known in _DEFAULT), types[0])
        yield event("pull_request", action)
        if labels:
            yield event("unlabelled", action, label=False)
        if labels and "labeled" in types:
            yield event("label_added", "labeled", changed=labels[0])
            yield event("other_label", "labeled", changed="another label")
        yield from (event(author, action, author) for author in ("fork", "dependabot"))
    if "closed" in types:
        yield event("closed", "closed")
        for author in ("fork", "dependabot"):
            yield event(f"closed_{author}", "closed", author)
    if "unlabeled" in types and labels:
        yield event("label_removed", "unlabeled", label=False, changed=labels[0])


def _request(action: str, labels: tuple[str, ...], run: int, author: str = "own") -> dict[str, Any]:
    head = _FORK if author == "fork" else REPOSITORY
    login = "dependabot[bot]" if author == "dependabot" else "octocat"
    return {
        "action": action,
        "number": 7,
        "pull_request": {
            "number": 7,
            "state": "closed" if action == "closed" else "open",
            "merged": action == "closed",
            "draft": False,
            "head": {
                "ref": "topic",
                "sha": _sha(run),
                "repo": {"full_name": head, "fork": author == "fork"},
            },
            "base": {"ref": "main", "repo": {"full_name": REPOSITORY}},
            "user": {"login": login},
            "labels": [{"name": name} for name in labels],
        },
    }


def _contexts(
    workflow: Workflow,
    name: str,
    payload: Mapping[str, Any],
    run: int,
    inputs: Mapping[str, Any] | None = None,
    attempt: str = "1",
) -> dict[str, Any]:
    request = payload.get("pull_request")
    actor = request["user"]["login"] if request else "octocat"
    return {
        "github": {
            "event_name": name,
            "event": {"repository": {"default_branch": "main"}, **payload},
            "ref": "refs/pull/7/merge" if request else "refs/heads/main",
            "ref_name": "7/merge" if request else "main",
            "ref_type": "branch",
            "head_ref": "topic" if request else "",
            "base_ref": "main" if request else "",
            "sha": _sha(run),
            "run_id": str(1000 + run),
            "run_number": str(run),
            "run_attempt": attempt,
            "workflow": workflow.name,
            "workflow_sha": _sha(run),
            "repository": REPOSITORY,
            "repository_owner": REPOSITORY.partition("/")[0],
            "actor": actor,
            "triggering_actor": actor,
            "job": "",
            "server_url": "https://github.com",
            "token": "",
        },
        "inputs": inputs or {},
        "vars": {},
        "secrets": {},
    }


def _sha(run: int) -> str:
    return SHA if run == 1 else f"{run}" * 40


def _dispatched(workflow: Workflow) -> dict[str, Any]:
    """The inputs of a dispatch with their defaults."""
    trigger = workflow.triggers.get("workflow_dispatch") or {}
    inputs: dict[str, Any] = {}
    for name, declared in (trigger.get("inputs") or {}).items():
        default = (declared or {}).get("default", "")
        boolean = (declared or {}).get("type") == "boolean"
        inputs[name] = str(default).lower() == "true" if boolean else default
    return inputs

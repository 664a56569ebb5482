"""A patched workflow or action as safety rules read it: every scalar as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from wfgen.release_program import names
from wfgen.text.reader import texts

Tree = dict[str, Any]


class PatchViolation(NamedTuple):
    """What breaks a rule; equal where rule and message are."""

    rule: str
    message: str


@dataclass(frozen=True)
class PatchedFile:
    """A file's text; `others` are the texts of all generated files by path."""

    path: str
    text: str
    others: Mapping[str, str]
    platform: str = "github.com"
    """The project's `platform`."""

    @property
    def tree(self) -> Tree:
        return read(self.text)

    @cached_property
    def jobs(self) -> dict[str, Tree]:
        """The jobs of a workflow by id; none of an action."""
        return jobs_of(self.tree)

    @cached_property
    def steps(self) -> list[tuple[str, Tree]]:
        """All steps, each with its job, `job plan`, or `the action`."""
        steps = [(f"job {name}", step) for name, job in self.jobs.items() for step in steps_of(job)]
        runs = mapping(self.tree.get("runs"))
        return steps or [("the action", step) for step in steps_of(runs)]

    @cached_property
    def triggers(self) -> set[str]:
        """The names of the events that start the workflow."""
        on = self.tree.get("on", "")
        return {on} if isinstance(on, str) else set(on)


@lru_cache(maxsize=64)
def read(text: str) -> Tree:
    """The mapping in a YAML text."""
    return mapping(texts(text))


def mapping(node: Any) -> Tree:
    """The node where it is a mapping; otherwise an empty mapping."""
    return node if isinstance(node, dict) else {}


def jobs_of(tree: Tree) -> dict[str, Tree]:
    """The jobs of a workflow by id."""
    return {name: mapping(job) for name, job in mapping(tree.get("jobs")).items()}


def steps_of(job: Tree) -> list[Tree]:
    """The steps of a job, or of an action's `runs`."""
    steps = job.get("steps")
    return [mapping(step) for step in steps] if isinstance(steps, list) else []


def local(uses: Any) -> str:
    """The path of a workflow or action of this repository; "" for one of another repository."""
    return names.local_path(str(uses or ""))


def commands(job: Tree) -> set[str]:
    """The commands of the release program that a job runs."""
    return {command(step) for step in steps_of(job)} - {""}


def command(step: Tree) -> str:
    """The command of the release program that a step runs; "" for another step."""
    is_release = local(step.get("uses")) == names.RELEASE_ACTION
    return str(mapping(step.get("with")).get("command", "")) if is_release else ""


def reaches_cluster(step: Tree) -> bool:
    """Whether a step logs in to a cluster."""
    return local(step.get("uses")) == names.CLUSTER_LOGIN_ACTION


def releases(job: Tree) -> bool:
    """Whether a job calls the release workflow."""
    return local(job.get("uses")) == names.DEPLOY_WORKFLOW


def permissions(job: Tree, workflow: Tree) -> dict[str, str] | str | None:
    """A job's permissions, its own or the workflow's; None where neither is set."""
    declared = job.get("permissions", workflow.get("permissions"))
    return declared if isinstance(declared, dict | str) else None


def calls(tree: Tree, path: str) -> Iterator[tuple[str, Tree]]:
    """The jobs that call the workflow at a path."""
    for name, job in jobs_of(tree).items():
        if local(job.get("uses")) == path:
            yield name, job

"""A patched workflow or action as safety rules look at it: every scalar as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from wfgen.generate.files import ACTIONS, RELEASE_ACTION, WORKFLOWS
from wfgen.text.reader import texts

Tree = dict[str, Any]


class Broken(NamedTuple):
    """What breaks a rule; two of one rule and message are the same."""

    rule: str
    message: str


@dataclass(frozen=True)
class Checked:
    """A file's text; `others` are the texts of all generated files by path."""

    path: str
    text: str
    others: Mapping[str, str]

    @property
    def tree(self) -> Tree:
        return read(self.text)

    @cached_property
    def jobs(self) -> dict[str, Tree]:
        """The jobs of a workflow by id; none of an action."""
        return jobs_of(self.tree)

    @cached_property
    def steps(self) -> list[tuple[str, Tree]]:
        """All steps, each with where it stands: `job plan`, or the action."""
        found = [(f"job {name}", step) for name, job in self.jobs.items() for step in steps_of(job)]
        runs = mapping(self.tree.get("runs"))
        return found or [("the action", step) for step in steps_of(runs)]

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
    """The node where it is a mapping; else an empty one."""
    return node if isinstance(node, dict) else {}


def jobs_of(tree: Tree) -> dict[str, Tree]:
    """The jobs of a workflow by id."""
    return {name: mapping(job) for name, job in mapping(tree.get("jobs")).items()}


def steps_of(job: Tree) -> list[Tree]:
    """The steps of a job, or of an action's `runs`."""
    steps = job.get("steps")
    return [mapping(step) for step in steps] if isinstance(steps, list) else []


def local(uses: Any) -> str:
    """The path of a workflow or action of this repository; "" for somebody else's."""
    text = str(uses or "")
    for prefix in ("$/", "./"):
        if text.startswith(prefix):
            return text.removeprefix(prefix)
    return ""


def commands(job: Tree) -> set[str]:
    """The commands of the release program that a job runs."""
    return {command(step) for step in steps_of(job)} - {""}


def command(step: Tree) -> str:
    """The command of the release program that a step runs; "" for another step."""
    ours = local(step.get("uses")) == RELEASE_ACTION
    return str(mapping(step.get("with")).get("command", "")) if ours else ""


def reaches_cluster(step: Tree) -> bool:
    """Whether a step logs in to a cluster."""
    return local(step.get("uses")) == f"{ACTIONS}/cluster-login"


def releases(job: Tree) -> bool:
    """Whether a job calls the release workflow."""
    return local(job.get("uses")) == f"{WORKFLOWS}/_deploy.yml"


def permissions(job: Tree, workflow: Tree) -> dict[str, str] | str | None:
    """A job's permissions, its own or the workflow's; None where neither says."""
    found = job.get("permissions", workflow.get("permissions"))
    return found if isinstance(found, dict | str) else None


def calls(tree: Tree, path: str) -> Iterator[tuple[str, Tree]]:
    """The jobs that call the workflow of a path."""
    for name, job in jobs_of(tree).items():
        if local(job.get("uses")) == path:
            yield name, job

"""With `platform: ghes`, no file has a construct that GitHub Enterprise Server does not know.

The server refuses a workflow with an unknown key, and starts no run of it
(https://docs.github.com/en/enterprise-server@3.19/actions/reference/workflows-and-actions/workflow-syntax).
docs/github-enterprise-server.md lists the constructs with their sources.

Remove the construct from the patch or the template, or set `platform: github.com`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wfgen.checks.rules._workflow import Violation, WorkflowText
from wfgen.release_program import names
from wfgen.text.reader import texts


@dataclass(frozen=True)
class Construct:
    """What a GitHub Enterprise Server does not know: a key, or how a value begins."""

    key: str
    parent: str = ""
    """The key of the mapping that has `key`; "" for any mapping."""
    begins: str = ""
    """How the value begins; "" for any value."""
    says: str = ""
    """The construct in messages and on the page."""
    source: str = ""
    """The page or source that has it for GitHub.com alone."""

    def is_in(self, parent: str, key: str, value: Any) -> bool:
        """Whether a key of a mapping, which is the value of `parent`, is this construct."""
        if key != self.key or self.parent not in ("", parent):
            return False
        return not self.begins or (isinstance(value, str) and value.startswith(self.begins))


DENIED = (
    Construct(
        "queue",
        parent="concurrency",
        says="`queue` in `concurrency`",
        source="https://github.blog/changelog/2026-05-07-github-actions-concurrency-groups-now-allow-larger-queues",
    ),
    Construct(
        "deployment",
        parent="environment",
        says="`deployment` in `environment`",
        source="https://github.com/github/docs/blob/main/data/features/actions-environments-without-deployments.yml",
    ),
    Construct(
        "uses",
        begins=names.SAME_REPOSITORY,
        says="`uses: $/...`",
        source="https://github.com/actions/runner/blob/main/src/Runner.Worker/ActionManager.cs",
    ),
)
"""The deny list."""


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Reads every key of a workflow or action for a GitHub Enterprise Server."""
    if workflow.platform != "ghes":
        return
    signs = (f"{denied.key}:" for denied in DENIED)
    if not any(sign in workflow.text for sign in signs):
        return
    document = texts(workflow.text)
    jobs = document.get("jobs") if isinstance(document, dict) else None
    for job, tree in (jobs if isinstance(jobs, dict) else {}).items():
        for construct in _constructs("", tree):
            yield Violation(f"job {job} has {construct.says}", job)
    rest = {key: value for key, value in document.items() if key != "jobs"}
    for construct in _constructs("", rest):
        yield Violation(f"has {construct.says}")


def _constructs(parent: str, tree: Any) -> Iterator[Construct]:
    """The constructs in a tree, each once per mapping that has it."""
    if isinstance(tree, list):
        for item in tree:
            yield from _constructs("", item)
    if not isinstance(tree, dict):
        return
    for key, value in tree.items():
        yield from (denied for denied in DENIED if denied.is_in(parent, key, value))
        yield from _constructs(key, value)

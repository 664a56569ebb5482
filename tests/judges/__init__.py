"""Judges of workflows and actions that do not come from us, and one that does.

No finding of theirs is ever silenced here; what is accepted, the test that calls says.
All of them know `$/` references, `queue: max` and `deployment: false` as they are: nothing is
rewritten for any judge.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.judges import actionlint, github, pinned_actions, schema, zizmor
from tests.judges.findings import Finding, Sample

__all__ = ["SHAPE", "STYLE", "Finding", "Judge", "Sample", "judge", "sampled"]

Judge = Callable[[Sample], list[Finding]]

# Whether a file is a workflow or an action at all ...
SHAPE: tuple[Judge, ...] = (schema.check, github.parse)
# ... and what is wrong with one that is. zizmor gives up on all files where one is malformed.
STYLE: tuple[Judge, ...] = (github.lint, actionlint.check, zizmor.audit, pinned_actions.check)


def judge(files: Sequence[Path], root: Path) -> list[Finding]:
    """What all judges hold against workflows and actions of the repository at `root`, sorted.

    Where a file is malformed, only what is said of its shape comes back.
    A missing judge skips the test, and fails it where CI=true.
    """
    with sampled(files, root) as sample:
        findings = [found for each in SHAPE for found in each(sample)]
        if not findings:
            findings = [found for each in STYLE for found in each(sample)]
    return sorted(set(findings))


@contextmanager
def sampled(files: Sequence[Path], root: Path) -> Iterator[Sample]:
    """A copy of `root`'s .github in a repository of its own, where references resolve.

    Neither git's state nor a configuration of a judge elsewhere in `root` can reach the judges.
    """
    names = sorted(file.resolve().relative_to(root.resolve()).as_posix() for file in files)
    actions = tuple(name for name in names if Path(name).name in {"action.yml", "action.yaml"})
    workflows = tuple(name for name in names if name not in actions)
    with tempfile.TemporaryDirectory(prefix="judges-") as directory:
        copy = Path(directory).resolve()
        shutil.copytree(root / ".github", copy / ".github")
        # actionlint takes the directory with a .git for the root of references.
        (copy / ".git").mkdir()
        yield Sample(copy, workflows, actions)

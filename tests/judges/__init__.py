"""Linters of workflows and actions: those of others, and one for pinned actions.

No finding is silenced here: the calling test names what it accepts. All of them support `$/`
references, `queue: max` and `deployment: false`, so no file is rewritten for any of them.
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

# Whether a file is a valid workflow or action.
SHAPE: tuple[Judge, ...] = (schema.check, github.parse)
# Defects of valid files. zizmor refuses all files if one is malformed.
STYLE: tuple[Judge, ...] = (github.lint, actionlint.check, zizmor.audit, pinned_actions.check)


def judge(files: Sequence[Path], root: Path) -> list[Finding]:
    """The findings of all judges in workflows and actions of the repository at `root`, sorted.

    If a file is malformed, only the findings of `SHAPE` are returned.
    A missing judge skips the test, and fails it if CI=true.
    """
    with sampled(files, root) as sample:
        findings = [finding for check in SHAPE for finding in check(sample)]
        if not findings:
            findings = [finding for check in STYLE for finding in check(sample)]
    return sorted(set(findings))


@contextmanager
def sampled(files: Sequence[Path], root: Path) -> Iterator[Sample]:
    """A copy of `root`'s .github in a separate repository, in which references resolve.

    So neither the state of git nor configuration files elsewhere in `root` affect the judges.
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

"""Rewrites what act 0.2.89 cannot read, and nothing else.

act rejects `queue:`, `deployment:` of an environment, and calls of workflows that begin with `$/`.
"""

from __future__ import annotations

import re
from pathlib import Path

REWRITES = (
    (re.compile(r"^ +queue: max\n", re.MULTILINE), ""),
    (re.compile(r"^ +deployment: false\n", re.MULTILINE), ""),
    (re.compile(r"^( +uses: )\$/(\.github/workflows/)", re.MULTILINE), r"\1./\2"),
)


def project(text: str) -> str:
    """A generated workflow in a form that act reads."""
    for pattern, replacement in REWRITES:
        text = pattern.sub(replacement, text)
    return text


def project_tree(root: Path) -> None:
    """Rewrites all workflows below `root` in place."""
    for path in root.glob(".github/workflows/*.yml"):
        path.write_text(project(path.read_text("utf-8")), "utf-8")

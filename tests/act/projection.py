"""Rewrites what act 0.2.89 cannot read, and nothing else.

act rejects `queue:`, `deployment:` of an environment and references that begin with `$/`.
"""

from __future__ import annotations

import re
from pathlib import Path

REWRITES = (
    (re.compile(r"^ +queue: max\n", re.MULTILINE), ""),
    (re.compile(r"^ +deployment: false\n", re.MULTILINE), ""),
    (re.compile(r"^( +(?:- )?uses: )\$/(\.github/workflows)", re.MULTILINE), r"\1./\2"),
    (re.compile(r"^( +(?:- )?uses: )\$/(\S+)", re.MULTILINE), r"\1acme/shop/\2@main"),
)


def project(text: str) -> str:
    """A generated workflow or action in a form that act reads."""
    for pattern, replacement in REWRITES:
        text = pattern.sub(replacement, text)
    return text


def project_tree(root: Path) -> None:
    """Rewrites all workflows and actions below `root` in place."""
    for path in [*root.glob(".github/workflows/*.yml"), *root.glob(".github/actions/*/action.yml")]:
        path.write_text(project(path.read_text("utf-8")), "utf-8")

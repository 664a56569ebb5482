"""Observations of releases as a page: docs/release-behaviour.md."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.e2e.shop import ROOT, Outputs

PAGE = ROOT / "docs/release-behaviour.md"
HEAD = """\
# What releases do

Each row was observed on a real Kubernetes cluster: `make e2e` releases to it, queries the pods over
HTTP, reads the release record, and writes this page. Release "one" is the first good release. The
pipelines build two services, `server` and `client`; `client` depends on `server`. Failed jobs are
in bold. Bake times and timeouts are shortened.
"""


@dataclass(frozen=True)
class Table:
    """A section of the page with one table."""

    name: str
    head: str
    columns: tuple[str, ...]

    @property
    def text(self) -> str:
        """The heading, the introduction and the head of the table."""
        return f"{self.head}\n| {' | '.join(self.columns)} |\n|{'---|' * len(self.columns)}\n"


PROGRAM = Table(
    "program",
    """
## What the release program does

The jobs are those of `_deploy.yml`, with what the rollback restored, and the job of `watchdog.yml`.
The tests run the command of each job directly, which also shows runs that are cancelled or killed.
Rows that begin with "sample application" release `app/`, built from its source; the others release
stand-ins that fail on purpose.
""",
    (
        "situation", "jobs that ran", "in the log",
        "release that the pods answer with", "record",
    ),
)  # fmt: skip
WORKFLOWS = Table(
    "workflows",
    """
## What the workflows do

act runs the generated `production.yml`, `staging.yml`, `staging-cleanup.yml` and `watchdog.yml`
with stand-ins for the actions that check out, log in, build and push. Jobs are named as on GitHub's
page of a run; skipped jobs are left out.
""",
    (
        "situation", "jobs that ran", "verdict",
        "release that the pods answer with", "record", "left in the repository",
    ),
)  # fmt: skip
TABLES = (WORKFLOWS, PROGRAM)
"""In the order of the page."""


@dataclass(frozen=True)
class Row:
    """The observation of one situation; `at` is its place in its table."""

    table: str
    at: int
    cells: tuple[str, ...]

    def keep(self, folder: Path) -> None:
        """Writes the row to a folder, from which `compose` reads it."""
        folder.mkdir(exist_ok=True)
        (folder / f"{self.table}-{self.at:04}.json").write_text(json.dumps(asdict(self)))

    @property
    def text(self) -> str:
        """The row of the table."""
        return "| " + " | ".join(re.sub(r"([|])", r"\\\1", cell) for cell in self.cells) + " |"


def name_jobs(done: Mapping[str, Outputs]) -> str:
    """The jobs in order, those that failed in bold, with what the rollback restored."""
    names = []
    for name, outputs in done.items():
        restored = outputs.values.get("restored", "")
        text = f"{name} ({restored})" if restored else name
        names.append(f"**{text}**" if outputs.code else text)
    return ", ".join(names)


def name_answers(serves: Mapping[str, str]) -> str:
    """The release that all services answer with, or one per service."""
    if len(set(serves.values())) == 1:
        return next(iter(serves.values()))
    return ", ".join(f"{service} {release}" for service, release in serves.items())


def quote(text: str) -> str:
    """A part of a log as code; "" for an empty one."""
    return text and f"`{text}`"


def compose(folder: Path) -> str:
    """The page from the rows in a folder."""
    rows = [Row(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    parts = (
        table.text + "".join(f"{row.text}\n" for row in rows if row.table == table.name)
        for table in TABLES
    )
    return HEAD + "".join(parts)

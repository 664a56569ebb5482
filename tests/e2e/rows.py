"""Observations of releases as a page: docs/release-behaviour.md."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.e2e.outputs import Outputs
from tests.e2e.shop import ROOT

PAGE = ROOT / "docs/release-behaviour.md"
HEAD = """\
# What releases do

Each row was observed on a real Kubernetes cluster: `make e2e-all` releases to it, queries the pods
over HTTP, reads the release record, and writes this page; `make e2e` compares a sample of the rows.
Release "one" is the first good release. The pipelines build two services, `server` and `client`;
`client` depends on `server`. What failed is in bold. Bake times and timeouts are shortened. GitHub
is a stand-in: what only github.com can show was not seen on GitHub.
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

The commands are those of the jobs of `_deploy.yml`, with what the rollback restored, the verdict of
the run, and those of `watchdog.yml`. The tests run them directly, by the conditions of the jobs,
which also shows runs that are cancelled or killed, and later attempts.
Rows that begin with "sample application" release `app/`, built from its source; the others release
stand-ins that fail on purpose.
""",
    (
        "situation", "commands that ran", "in the log",
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
    cells: Sequence[str]

    def keep(self, folder: Path) -> None:
        """Writes the row to a folder, from which `read` reads it."""
        folder.mkdir(exist_ok=True)
        (folder / f"{self.table}-{self.at:04}.json").write_text(json.dumps(asdict(self)))

    @property
    def text(self) -> str:
        """The row of the table."""
        return "| " + " | ".join(re.sub(r"([|])", r"\\\1", cell) for cell in self.cells) + " |"


def name_jobs(done: Mapping[str, Outputs]) -> str:
    """The commands in order, those that failed in bold, with what the rollback restored.

    Commands of another attempt or run, named `<which>: <command>`, are grouped.
    """
    parts: dict[str, list[str]] = {}
    for name, outputs in done.items():
        restored = outputs.values.get("restored", "")
        text = f"{command_of(name)} ({restored})" if restored else command_of(name)
        which = name.rpartition(": ")[0]
        parts.setdefault(which, []).append(f"**{text}**" if outputs.code else text)
    return "; ".join(
        f"{which}: {', '.join(names)}" if which else ", ".join(names)
        for which, names in parts.items()
    )


def command_of(name: str) -> str:
    """The command of a name as `name_jobs` reads it."""
    return name.rpartition(": ")[2]


def name_answers(serves: Mapping[str, str]) -> str:
    """The release that all services answer with, or one per service."""
    if len(set(serves.values())) == 1:
        return next(iter(serves.values()))
    return ", ".join(f"{service} {release}" for service, release in serves.items())


def quote(text: str) -> str:
    """A part of a log as code; "" for an empty one."""
    return text and f"`{text}`"


def read(folder: Path) -> list[Row]:
    """The rows that were kept in a folder."""
    return [Row(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]


def compose(observed: Sequence[Row]) -> str:
    """The page of these rows."""
    parts = (
        table.text + "".join(f"{row.text}\n" for row in observed if row.table == table.name)
        for table in TABLES
    )
    return HEAD + "".join(parts)


def missing(observed: Sequence[Row], page: str) -> list[Row]:
    """The rows that are not in their table of a page."""
    return [row for row in observed if row.text not in _lines(row.table, page)]


def committed(row: Row, page: str) -> str:
    """The row of a page about the same situation; "" if there is none."""
    begin = row.text.partition(" | ")[0] + " | "
    return next((line for line in _lines(row.table, page) if line.startswith(begin)), "")


def _lines(name: str, page: str) -> list[str]:
    """The lines of a table."""
    table = next(table for table in TABLES if table.name == name)
    title = table.head.strip().partition("\n")[0]
    return page.partition(f"{title}\n")[2].partition("\n## ")[0].splitlines()

"""What was seen of releases, as a page: docs/release-behaviour.md."""

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

Each row was seen on a real Kubernetes: `make e2e` releases to it, asks the pods over HTTP, reads
the record, and writes this page. "One" is the first good release; the services that are built are
`server` and `client`, and `client` depends on `server`. Jobs in bold failed. Times of bake and
roll-out are shortened.
"""


@dataclass(frozen=True)
class Table:
    """A part of the page."""

    name: str
    head: str
    columns: tuple[str, ...]

    @property
    def text(self) -> str:
        """What stands above its rows."""
        return f"{self.head}\n| {' | '.join(self.columns)} |\n|{'---|' * len(self.columns)}\n"


PROGRAM = Table(
    "program",
    """
## What the release program does

The jobs are those of `_deploy.yml`, with what the rollback restored; the watchdog is
`watchdog.yml`'s. Their commands are run one by one, which also shows runs that are cut off.
Rows of the sample application release `app/` itself, built from its source; the others stand-ins,
which fail as they are told.
""",
    (
        "what happens", "jobs, and which fail", "their log says",
        "then the pods answer", "the record says",
    ),
)  # fmt: skip
WORKFLOWS = Table(
    "workflows",
    """
## What the workflows do

`production.yml`, `staging.yml`, `staging-cleanup.yml` and `watchdog.yml` as generated, run by act
with stand-ins for the actions that check out, log in, build and push. Jobs have the names that they
have on GitHub's page of a run; those that are skipped are left out.
""",
    (
        "what happens", "jobs that ran, and which failed", "the run says",
        "then the pods answer", "the record says", "the repository keeps",
    ),
)  # fmt: skip
TABLES = (WORKFLOWS, PROGRAM)
"""As they follow one another on the page."""


@dataclass(frozen=True)
class Row:
    """What was seen of one situation; `at` is its place in its table."""

    table: str
    at: int
    cells: tuple[str, ...]

    def keep(self, folder: Path) -> None:
        """Writes the row into a folder, for the page."""
        folder.mkdir(exist_ok=True)
        (folder / f"{self.table}-{self.at:04}.json").write_text(json.dumps(asdict(self)))

    @property
    def text(self) -> str:
        """The row of the table."""
        return "| " + " | ".join(re.sub(r"([|])", r"\\\1", cell) for cell in self.cells) + " |"


def name_jobs(done: Mapping[str, Outputs]) -> str:
    """The jobs in order, those that failed in bold, with what the rollback restored."""
    told = []
    for name, outputs in done.items():
        restored = outputs.values.get("restored", "")
        text = f"{name} ({restored})" if restored else name
        told.append(f"**{text}**" if outputs.code else text)
    return ", ".join(told)


def name_answers(serves: Mapping[str, str]) -> str:
    """What the services answer, in few words."""
    if len(set(serves.values())) == 1:
        return next(iter(serves.values()))
    return ", ".join(f"{service} {release}" for service, release in serves.items())


def quote(text: str) -> str:
    """Words of a log; nothing where there are none."""
    return text and f"`{text}`"


def compose(folder: Path) -> str:
    """The page from the rows in a folder."""
    rows = [Row(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    parts = (
        table.text + "".join(f"{row.text}\n" for row in rows if row.table == table.name)
        for table in TABLES
    )
    return HEAD + "".join(parts)

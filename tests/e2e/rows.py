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

Each row was seen on a real Kubernetes: `make e2e` runs the generated release program against it,
asks the pods over HTTP, reads the record, and writes this page. "One" is the last known good
release; the services that are built are `server` and `client`, and `client` depends on `server`.
The jobs are those of `_deploy.yml`, and those in bold failed; the watchdog is `watchdog.yml`'s.
Times of bake and roll-out are shortened.

| what happens | jobs, and which fail | their log says | then the pods answer | the record says |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """What was seen of one situation; `at` is its place on the page."""

    at: int
    title: str
    jobs: str
    says: str
    serves: str
    record: str
    seconds: float

    def keep(self, folder: Path) -> None:
        """Writes the row into a folder, for the page."""
        folder.mkdir(exist_ok=True)
        (folder / f"{self.at:03}.json").write_text(json.dumps(asdict(self)))

    @property
    def text(self) -> str:
        """The row of the table."""
        cells = (self.title, self.jobs, self.says and f"`{self.says}`", self.serves, self.record)
        return "| " + " | ".join(re.sub(r"([|])", r"\\\1", cell) for cell in cells) + " |"


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


def compose(folder: Path) -> str:
    """The page from the rows in a folder."""
    rows = [Row(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    return HEAD + "".join(f"{row.text}\n" for row in rows)

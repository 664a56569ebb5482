"""A shop for each test, copied from one whose first release act made."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.act.first import First, open_shop, release_first
from tests.act.runner import Shop
from tests.act.sample import Sample
from tests.judges.tools import find_program, missing


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> First:
    """The first release; the first xdist worker that needs it makes it for all."""
    find_program("act")
    if shutil.which("kubectl") is None:
        missing("kubectl", "install version 1.27 or newer")
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    saved = folder / "act-first.pickle"
    with (folder / "act-first.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not saved.exists():
            place = folder / "act-first"
            place.mkdir()
            saved.write_bytes(pickle.dumps(release_first(place)))
    made: First = pickle.loads(saved.read_bytes())
    return made


@pytest.fixture
def shop(tmp_path: Path, first: First) -> Iterator[Shop]:
    """The sample project after its first release, with a separate cluster."""
    sample = Sample(first.root).copy(tmp_path / "shop")
    with open_shop(tmp_path, sample) as made:
        made.cluster.restore(first.world)
        made.github.begin(1, 1, "production.yml")
        made.github.end(1, first.run)
        yield made

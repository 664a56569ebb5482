"""A pytest fixture: `from tests.kube_api.fixture import kube_cluster` in a conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.judges.tools import find_program
from tests.kube_api.cluster import FakeCluster


@pytest.fixture
def kube_cluster(tmp_path: Path) -> Iterator[FakeCluster]:
    """An empty cluster; skips where kubectl is missing (fails with CI=true)."""
    find_program("kubectl")
    with FakeCluster(tmp_path) as cluster:
        yield cluster

"""Repositories to run commands in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import case
from tests.terminal import Terminal
from wfgen.worktree import drift


@pytest.fixture(scope="session")
def _rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = case.write(tmp_path_factory.mktemp("rendered"), case.BASE)
    drift.write(root, drift.compare(root, case.rendered(root)))
    return root


@pytest.fixture
def terminal(
    _rendered: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Terminal:
    """In a copy of the base case, rendered.

    No kustomize is at hand: it is slow, and looks at what the case does not have.
    """
    root = tmp_path / "repository"
    shutil.copytree(_rendered, root)
    monkeypatch.setenv("PATH", "")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):  # the tests may run there
        monkeypatch.delenv(name, raising=False)
    return Terminal(root, capsys)

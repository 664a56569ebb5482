"""A repository to run commands in."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests import case, sampling
from tests.terminal import Terminal
from wfgen.worktree import drift


def pytest_report_header() -> str:
    return f"seed: {sampling.SEED}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen = sampling.choose(items)
    if len(chosen) < len(items):
        kept = set(chosen)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = chosen


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A background job of a shell ignores SIGINT, and so do its children: tests interrupt some."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
    """A command line in a rendered copy of the base case.

    kustomize is not in PATH: it is slow, and the case has no overlays.
    """
    root = tmp_path / "repository"
    shutil.copytree(_rendered, root)
    monkeypatch.setenv("PATH", "")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):  # set if the tests run there
        monkeypatch.delenv(name, raising=False)
    return Terminal(root, capsys)

"""Runs the tests on a real Kubernetes cluster: `python -m tests.e2e [PYTEST-ARGUMENT]...`."""

from __future__ import annotations

import difflib
import os
import sys

from tests.e2e import buildah, launch, rows
from tests.e2e.bases import build_bases
from tests.e2e.build import NotBuilt
from tests.e2e.cluster import NotStarted
from tests.e2e.shop import ROOT

AT_ONCE = "8"
"""Tests that run at a time: most of their time they wait."""
AGAIN = ("--reruns=1", "-rR")
"""A failed test is run once more and reported as such: the cluster has timeouts, which a
busy machine may exceed. `PYTEST=--reruns=0` turns this off."""


def main(arguments: list[str]) -> int:
    """The exit code of the tests."""
    tests = [sys.executable, "-m", "pytest", "-m", "e2e", "-n", AT_ONCE, *AGAIN, "tests/e2e"]
    with launch.scratch() as folder:
        tests += [f"--basetemp={folder / 'pytest'}", *arguments]
        try:
            if (
                os.geteuid() == 0 and not buildah.missing()
            ):  # else the tests that need them fail or are skipped
                build_bases()
            code = launch.run(folder, tests)
        except (NotBuilt, NotStarted) as problem:
            print(f"make e2e: {problem}", file=sys.stderr)
            return 1
        # A part of the tests does not make a whole page.
        return code if code or arguments else _judge_page(rows.compose(folder / "rows"))


def _judge_page(text: str) -> int:
    """Writes the page; in CI, exit code 1 where the committed page differs."""
    old = rows.PAGE.read_text("utf-8") if rows.PAGE.exists() else ""
    if text == old:
        return 0
    name = str(rows.PAGE.relative_to(ROOT))
    print("\n".join(difflib.unified_diff(old.splitlines(), text.splitlines(), name, name)))
    if os.environ.get("CI") == "true":
        print(f"{name} is out of date; to fix, run `make e2e` and commit the page", file=sys.stderr)
        return 1
    rows.PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Releases on a real Kubernetes: `python -m tests.e2e`, more arguments are pytest's."""

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
"""So many rows run at a time: they wait most of it."""
AGAIN = ("--reruns=1", "-rR")
"""What fails is tried once more, and that is told: a busy machine may be late for once. With
`PYTEST=--reruns=0` it is not."""


def main(arguments: list[str]) -> int:
    """The exit code of the tests."""
    tests = [sys.executable, "-m", "pytest", "-m", "e2e", "-n", AT_ONCE, *AGAIN, "tests/e2e"]
    with launch.scratch() as folder:
        tests += [f"--basetemp={folder / 'pytest'}", *arguments]
        try:
            if os.geteuid() == 0 and not buildah.missing():  # else the tests that need them say so
                build_bases()
            code = launch.run(folder, tests)
        except (NotBuilt, NotStarted) as problem:
            print(f"make e2e: {problem}", file=sys.stderr)
            return 1
        # Of some tests alone there is no whole page.
        return code if code or arguments else _judge_page(rows.compose(folder / "rows"))


def _judge_page(text: str) -> int:
    """Writes the page; in CI it must be there as it is."""
    old = rows.PAGE.read_text("utf-8") if rows.PAGE.exists() else ""
    if text == old:
        return 0
    name = str(rows.PAGE.relative_to(ROOT))
    print("\n".join(difflib.unified_diff(old.splitlines(), text.splitlines(), name, name)))
    if os.environ.get("CI") == "true":
        print(f"{name} is not what was seen: run make e2e and commit it", file=sys.stderr)
        return 1
    rows.PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the tests on a real Kubernetes cluster: `python -m tests.e2e [PYTEST-ARGUMENT]...`.

All of them, and writes the page of what they observed; with WFGEN_SAMPLE=1 a random sample, and
compares what it observed with the page; with arguments a part.
"""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path

from tests import sampling
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
    tests = [sys.executable, "-m", "pytest", "-m", "e2e", "-n", AT_ONCE, *AGAIN]
    if not any(Path(argument.partition("::")[0]).exists() for argument in arguments):
        tests.append("tests/e2e")
    with launch.scratch() as folder:
        tests += [f"--basetemp={folder / 'pytest'}", *arguments]
        try:
            # Without them, the tests that need them fail or are skipped.
            if os.geteuid() == 0 and not buildah.missing():
                build_bases()
            code = launch.run(folder, tests)
        except (NotBuilt, NotStarted) as problem:
            print(f"make e2e: {problem}", file=sys.stderr)
            return 1
        if code or arguments:  # a part of the tests does not make a whole page
            return code
        observed = rows.read(folder / "rows")
        return _judge_sample(observed) if sampling.SAMPLED else _judge_page(rows.compose(observed))


def _judge_sample(observed: list[rows.Row]) -> int:
    """Exit code 1 where the committed page lacks a row that was observed."""
    page = rows.PAGE.read_text("utf-8")
    missing = rows.missing(observed, page)
    for row in missing:
        print(f"observed:  {row.text}\ncommitted: {rows.committed(row, page) or 'no such row'}\n")
    print(f"{len(observed)} rows observed, {len(observed) - len(missing)} as in {_name()}")
    if missing:
        print(f"{_name()} is out of date; to fix, run `make e2e-all`", file=sys.stderr)
    if not observed:
        print("make e2e: no row was observed", file=sys.stderr)
    return 1 if missing or not observed else 0


def _judge_page(text: str) -> int:
    """Writes the page; in CI, exit code 1 where the committed page differs."""
    old = rows.PAGE.read_text("utf-8") if rows.PAGE.exists() else ""
    if text == old:
        return 0
    print("\n".join(difflib.unified_diff(old.splitlines(), text.splitlines(), _name(), _name())))
    if os.environ.get("CI") == "true":
        print(f"{_name()} is out of date; run `make e2e-all` and commit the page", file=sys.stderr)
        return 1
    rows.PAGE.write_text(text, "utf-8")
    return 0


def _name() -> str:
    return str(rows.PAGE.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m benchmarks.cost`: prints the cost of the good path of this repository's pipelines and
of all cases of tests/cases/ok; `measure` writes fetches.json, `page` writes docs/cost.md.
"""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

from benchmarks.cost import fetches, page, pipelines
from benchmarks.cost.pipelines import Releasing
from tests import case

_WORDS = ("measure", "page")


def main(words: list[str]) -> int:
    """Does what the words say, in their order; without any, prints the counts."""
    if unknown := [word for word in words if word not in _WORDS]:
        print(
            f"python -m benchmarks.cost: unknown argument `{unknown[0]}`; expected measure or page"
        )
        return 2
    if not words:
        _print_counts()
    if "measure" in words:
        fetches.measure()
    if "page" in words:
        page.PAGE.write_text(page.page(), "utf-8")
    return 0


def _print_counts() -> None:
    print("pipeline: jobs in series, billed jobs, checkouts, archives, logins of the good path")
    for name in ("production", "staging"):
        _print("this repository", pipelines.own(name))
    for name in case.names("ok"):
        for releasing in pipelines.of_case(name):
            _print(name, releasing)


def _print(project: str, releasing: Releasing) -> None:
    cost = releasing.count()
    numbers = [len(cost.series), len(cost.jobs), cost.checkouts, cost.archives, cost.logins]
    label = f"{project}, {PurePosixPath(releasing.path).stem}"
    print(f"{label:48} {' '.join(f'{number:3}' for number in numbers)}   {' > '.join(cost.series)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

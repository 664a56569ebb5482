"""A shop per test, and the comparison of each run of its workflows with what is expected."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.act.run import Run
from tests.e2e import kube, rows
from tests.e2e.conftest import name_namespace
from tests.e2e.pipelines.seen import kept_in_repository, name_jobs, title_of
from tests.e2e.pipelines.shop import Live, Shop, open_shop
from tests.e2e.registry import Images
from tests.e2e.shop import APP
from tests.judges.tools import find_program

HERE = Path(__file__).parent
QUIET = {"Finish: notify", "Release/Deploy: migrate"}
"""Commands that print nothing if there is nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts the tests of this folder first, as they take longest; xdist deals tests in pairs."""
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    others = [item for item in items if item not in mine]
    paired = itertools.chain.from_iterable(itertools.zip_longest(mine, others[: len(mine)]))
    items[:] = [*(item for item in paired if item), *others[len(mine) :]]


@pytest.fixture
def shop(request: pytest.FixtureRequest, tmp_path: Path, images: Images) -> Iterator[Shop]:
    """The sample project before its first release."""
    find_program("act")
    place = kube.from_environment(name_namespace(request))
    with open_shop(tmp_path, place, images) as made:
        yield made


class ObserveRun(Protocol):
    """Compares a run with what is expected, and adds it to the page as a row."""

    def __call__(
        self,
        title: str,
        run: Run,
        *,
        failed: Collection[str] = (),
        says: str = "",
        serves: str | dict[str, str],
        record: str,
        keeps: str = "",
        of: Live | None = None,
    ) -> None: ...


@pytest.fixture
def observe_run(request: pytest.FixtureRequest, shop: Shop) -> ObserveRun:
    """Compares a run's jobs, its verdict, the pods, the record and the repository.

    `failed` are jobs as GitHub names them, `says` is the title of the verdict, `record` the state
    and the last good release, `keeps` the tags, deployments and reverts that the run made, and `of`
    the environment (default: production).
    """
    places = itertools.count(20 * request.session.items.index(request.node))

    def observe_workflow(
        title: str,
        run: Run,
        *,
        failed: Collection[str] = (),
        says: str = "",
        serves: str | dict[str, str],
        record: str,
        keeps: str = "",
        of: Live | None = None,
    ) -> None:
        live = of or shop.production
        assert {name.replace("/", " / ") for name in run.failed} == set(failed)
        assert title_of(run) == says
        assert run.unmarked <= QUIET, "a command succeeded although it did nothing"
        messages = shop.github.messages
        assert messages == ([says] if "Finish" in failed else [])
        expected = dict.fromkeys(APP, serves) if isinstance(serves, str) else serves
        assert live.serves() == expected
        known = live.record
        state = f"{known['state']}, release {known['release']}" if known else "none"
        assert state == record
        assert kept_in_repository(shop) == keeps
        jobs, answers = name_jobs(shop, run), rows.name_answers(expected)
        cells = (title, jobs, rows.quote(says), answers, state, keeps)
        row = rows.Row(rows.WORKFLOWS.name, next(places), cells)
        row.keep(Path(os.environ["E2E_FOLDER"]) / "rows")

    return observe_workflow

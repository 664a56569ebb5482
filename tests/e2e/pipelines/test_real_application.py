"""The sample application, which production.yml builds from its Dockerfiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import kube
from tests.e2e.conftest import name_namespace
from tests.e2e.pipelines.conftest import ObserveRun
from tests.e2e.pipelines.shop import REAL, Shop, open_shop
from tests.e2e.registry import Images
from tests.judges.tools import find_program

pytestmark = pytest.mark.e2e


@pytest.fixture
def shop(
    request: pytest.FixtureRequest, tmp_path: Path, images: Images, bases: None
) -> Iterator[Shop]:
    """The sample application before its first release."""
    find_program("act")
    place = kube.from_environment(name_namespace(request))
    with open_shop(tmp_path, place, images, REAL) as made:
        yield made


@pytest.mark.releases(6)
def test_sample_application(shop: Shop, observe_run: ObserveRun) -> None:
    run = shop.push(shop.new_run())
    observe_run(
        "the sample application is built and released", run,
        says="production: release 1 is live", serves="one", record="good, release 1",
        keeps="tag `deploy/production/1`, deploy: success",
    )  # fmt: skip
    shop.replace("app/client/nginx.conf", "listen 8080;", "listen 8080")
    shop.sample.commit("break nginx")
    run = shop.push(shop.new_run())
    assert 'invalid parameter "root"' in run.logs["Release/Monitor"]
    observe_run(
        "its client has a configuration that nginx refuses", run,
        failed=("Release / Monitor", "Finish"),
        says="production: release 2 failed and was rolled back",
        serves="one", record="good, release 1",
        keeps="tag `rollback/production/2`, deploy: failure, rollback: success, "
        "revert pull request opened",
    )  # fmt: skip

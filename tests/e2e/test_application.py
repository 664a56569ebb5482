"""Releases of the sample application; changes of its source make some of them fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import kube
from tests.e2e.application import Application, Visitor, databases, name_base
from tests.e2e.conftest import Observe, copy_project, name_namespace
from tests.e2e.registry import Images
from tests.e2e.shop import ROOT

pytestmark = pytest.mark.e2e
SERVER = "app/server/server/__init__.py"
MIGRATE = "app/server/server/migrate.py"
LAST_STATEMENT = '''    )
    """,
)
'''


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, images: Images, bases: None) -> Path:
    """The sample project with its real databases."""
    checkout = tmp_path_factory.mktemp("project") / "checkout"
    copy_project(checkout, databases(images.host))
    return checkout


@pytest.fixture
def first(
    request: pytest.FixtureRequest, tmp_path: Path, images: Images, origin: Path
) -> Iterator[Application]:
    """The sample application before its first release, in a separate namespace."""
    place = kube.from_environment(name_namespace(request))
    yield Application(tmp_path, place, images, origin)
    place.tear_down()


@pytest.fixture
def visitor(shop: Application) -> Visitor:
    """A pod that sends requests since the first good release."""
    base = name_base("server", ROOT)
    host = shop.images.host
    return Visitor(shop.kube, f"{host}/library/{base}" if host else base)


def _assert_available(shop: Application, visitor: Visitor, visits: int) -> None:
    """No request failed, no visit is lost, and another visit is counted."""
    assert visitor.failures() == []
    assert shop.query("SELECT count(*) FROM visits") == str(visits)
    assert visitor.visits() == visits
    cached = shop.kube.run("exec", "redis-0", "--", "redis-cli", "get", "visits:count")
    assert cached.strip() == str(visits)
    assert visitor.visit() == visits + 1


def _add_migration(shop: Application, statement: str) -> None:
    added = f'    "{statement}",\n)\n'
    shop.commit(MIGRATE, LAST_STATEMENT, LAST_STATEMENT.removesuffix(")\n") + added)


def test_application_with_a_new_schema(
    shop: Application, observe: Observe, visitor: Visitor
) -> None:
    _assert_available(shop, visitor, 0)
    _add_migration(shop, "ALTER TABLE visitors ADD COLUMN page text")
    shop.build("two")
    done = shop.release()
    observe(
        "sample application: Postgres refuses the migration", done,
        says="migration failed, the schema is unchanged",
        restored="nothing", serves="one", record="good, release 1",
    )  # fmt: skip
    _assert_available(shop, visitor, 1)

    shop.go_back()
    _add_migration(shop, "ALTER TABLE visits ADD COLUMN IF NOT EXISTS page text")
    start = "    app = Flask(__name__)\n"
    shop.commit(SERVER, start, f"    raise RuntimeError('no page is set up')\n{start}")
    shop.build("three")
    done = shop.release()
    observe(
        "sample application: the server raises an exception at startup, after its migration", done,
        says="RuntimeError: no page is set up",
        restored="all", serves="one", record="good, release 1",
    )  # fmt: skip
    # Migrations only expand the schema, so the old release runs on the new one.
    assert shop.query("SELECT count(page) FROM visits") == "0"
    _assert_available(shop, visitor, 2)

    shop.commit(SERVER, f"    raise RuntimeError('no page is set up')\n{start}", start)
    shop.build("four")
    done = shop.release()
    observe(
        "sample application: a good release", done,
        says="the schema is up to date", serves="four", record="good, release 4",
    )  # fmt: skip
    _assert_available(shop, visitor, 3)


def test_application_that_fails(shop: Application, observe: Observe, visitor: Visitor) -> None:
    _assert_available(shop, visitor, 0)
    shop.commit("app/client/nginx.conf", "listen 8080;", "listen 8080")
    shop.build("two", "client")
    done = shop.release("client")
    observe(
        "sample application: nginx refuses the client's configuration", done,
        says="(exit code 1)", restored="all", serves="one", record="good, release 1",
    )  # fmt: skip
    _assert_available(shop, visitor, 1)

    shop.go_back()
    deadline = "progressDeadlineSeconds: 150"
    shop.commit("kube/bases/server/deployment.yaml", deadline, "progressDeadlineSeconds: 20")
    shop.commit(SERVER, '"SELECT 1"', '"SELECT 1 FROM visitors"')
    shop.build("three")
    done = shop.release()
    observe(
        "sample application: a wrong query makes the server's health check fail", done,
        says="no progress within its deadline",
        restored="all", serves="one", record="good, release 1",
    )  # fmt: skip
    _assert_available(shop, visitor, 2)

"""Releases of the sample application itself, of which some are bad by a change of its source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import buildah, image, kube
from tests.e2e.application import Application, Visitor, name_base
from tests.e2e.conftest import Tell, copy_project, name_namespace
from tests.e2e.registry import Images
from tests.e2e.shop import DATABASES, ROOT
from tests.judges.tools import missing

pytestmark = pytest.mark.e2e
SERVER = "app/server/server/__init__.py"
MIGRATE = "app/server/server/migrate.py"
LAST_STATEMENT = '''    )
    """,
)
'''


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, images: Images) -> Path:
    """The sample project as it is, with its bases and databases in the registry."""
    if os.geteuid() != 0:
        missing("root", "it builds images")
    if programs := buildah.missing():
        missing(", ".join(programs), f"apt-get install {' '.join(programs.values())}")
    for reference in (*DATABASES.values(), name_base("server", ROOT)):
        image.publish_base(reference)
    checkout = tmp_path_factory.mktemp("project") / "checkout"
    copy_project(checkout, f"{images.host}/library/" if images.host else "")
    return checkout


@pytest.fixture
def first(
    request: pytest.FixtureRequest, tmp_path: Path, images: Images, origin: Path
) -> Iterator[Application]:
    """The sample application, before its first release, in a namespace of its own."""
    place = kube.from_environment(name_namespace(request))
    yield Application(tmp_path, place, images, origin)
    place.tear_down()


@pytest.fixture
def visitor(shop: Application) -> Visitor:
    """Somebody who was there twice, since the first good release."""
    base = name_base("server", ROOT)
    host = shop.images.host
    visitor = Visitor(shop.kube, f"{host}/library/{base}" if host else base)
    assert [visitor.visit(), visitor.visit()] == [1, 2]
    return visitor


def _hold(shop: Application, visitor: Visitor) -> None:
    """Nobody noticed anything, and what was written is still there and can be added to."""
    assert shop.query("SELECT count(*) FROM visits") == "2"
    assert visitor.visits() == 2
    assert shop.kube.run("exec", "redis-0", "--", "redis-cli", "get", "visits:count").strip() == "2"
    assert visitor.visit() == 3
    assert visitor.failures() == []


def test_good_release_of_the_application(shop: Application, tell: Tell, visitor: Visitor) -> None:
    title = "<title>"
    shop.commit("app/client/public/index.html", title, f"{title}The second release of ")
    shop.build("two")
    done = shop.release()
    tell(
        "sample application: a good release", done,
        says="the schema is up to date", serves="two", record="good, release 2",
    )  # fmt: skip
    assert "The second release of" in visitor.ask("client", "/")
    _hold(shop, visitor)


def test_server_that_raises_at_start(shop: Application, tell: Tell, visitor: Visitor) -> None:
    """Its migration stays: the schema only ever expands, and the old release runs on it."""
    added = """    "ALTER TABLE visits ADD COLUMN IF NOT EXISTS page text",\n)\n"""
    shop.commit(MIGRATE, LAST_STATEMENT, LAST_STATEMENT.removesuffix(")\n") + added)
    start = "    app = Flask(__name__)\n"
    shop.commit(SERVER, start, '    raise RuntimeError("no page is set up")\n' + start)
    shop.build("two")
    done = shop.release()
    tell(
        "sample application: the server raises at its start, after its migration", done,
        says="RuntimeError: no page is set up",
        restored="all", serves="one", record="good, release 1",
    )  # fmt: skip
    assert shop.query("SELECT count(page) FROM visits") == "0"
    _hold(shop, visitor)


def test_client_whose_nginx_refuses_its_configuration(
    shop: Application, tell: Tell, visitor: Visitor
) -> None:
    shop.commit("app/client/nginx.conf", "listen 8080;", "listen 8080")
    shop.build("two", "client")
    done = shop.release("client")
    tell(
        "sample application: nginx refuses the client's configuration", done,
        says='invalid parameter "root"', restored="all", serves="one", record="good, release 1",
    )  # fmt: skip
    _hold(shop, visitor)


def test_server_that_asks_for_no_table(shop: Application, tell: Tell, visitor: Visitor) -> None:
    deadline = "progressDeadlineSeconds: 150"
    shop.commit("kube/bases/server/deployment.yaml", deadline, "progressDeadlineSeconds: 20")
    shop.commit(SERVER, '"SELECT 1"', '"SELECT 1 FROM visitors"')
    shop.build("two")
    done = shop.release()
    tell(
        "sample application: the server's query is wrong, its health address says 503", done,
        says='relation "visitors" does not exist',
        restored="all", serves="one", record="good, release 1",
    )  # fmt: skip
    _hold(shop, visitor)


def test_migration_that_the_database_refuses(
    shop: Application, tell: Tell, visitor: Visitor
) -> None:
    added = """    "ALTER TABLE visitors ADD COLUMN page text",\n)\n"""
    shop.commit(MIGRATE, LAST_STATEMENT, LAST_STATEMENT.removesuffix(")\n") + added)
    shop.build("two")
    done = shop.release()
    tell(
        "sample application: Postgres refuses the migration", done,
        says="migration failed, the schema is unchanged",
        restored="nothing", serves="one", record="good, release 1",
    )  # fmt: skip
    _hold(shop, visitor)

"""A shop per test, in the cluster that `make e2e` starts."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e import buildah, image, kube, rows
from tests.e2e.application import name_base
from tests.e2e.outputs import Outputs
from tests.e2e.registry import Images
from tests.e2e.shop import (
    APP,
    DATABASES,
    DATABASES_FROM,
    LISTEN,
    ROOT,
    Shop,
    commit,
    fit_node,
    git,
    stand_ins,
)  # fmt: skip
from tests.github_api import serving
from tests.judges.tools import missing


@pytest.fixture(scope="session")
def images() -> Images:
    """The registry of the cluster, with the stand-ins of the databases."""
    if "E2E_FOLDER" not in os.environ:
        missing("a cluster", "run make e2e, which starts one")
    host = os.environ.get("E2E_REGISTRY", "") if os.environ.get("E2E_KUBECONFIG") else ""
    images = Images(Path(os.environ["E2E_FOLDER"]) / "images", host)
    for name, reference in DATABASES.items():
        behaviour = {"RELEASE": reference, "LISTEN": LISTEN[name]}
        images.build(f"{DATABASES_FROM}/{name}", behaviour, tag=reference.partition(":")[2])
    return images


@pytest.fixture(scope="session")
def bases(images: Images) -> None:
    """Base images and databases of the sample application, in the registry."""
    if os.geteuid() != 0:
        missing("root", "it builds images")
    if programs := buildah.missing():
        missing(", ".join(programs), f"apt-get install {' '.join(programs.values())}")
    for reference in (*DATABASES.values(), name_base("server", ROOT)):
        image.publish_base(reference)


def copy_project(checkout: Path, databases: str) -> None:
    """Copies the sample project to a new repository and adapts it with `fit_node`."""
    for name in ("kube", "app/client", "app/server"):
        shutil.copytree(ROOT / name, checkout / name)
    fit_node(checkout, databases)
    git(checkout, "init", "--quiet", "--template=", "--initial-branch=main")
    commit(checkout)


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory, images: Images) -> Path:
    """The sample project, with stand-ins for its databases."""
    checkout = tmp_path_factory.mktemp("project") / "checkout"
    copy_project(checkout, stand_ins(images.host))
    return checkout


def name_namespace(request: pytest.FixtureRequest) -> str:
    """A namespace name, unique among tests and runs on the same cluster."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())[:30]
    return f"{name}-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def first(
    request: pytest.FixtureRequest, tmp_path: Path, images: Images, origin: Path
) -> Iterator[Shop]:
    """The sample project before its first release, in a separate namespace."""
    shop = Shop(tmp_path, kube.from_environment(name_namespace(request)), images, origin)
    with serving(shop.github):
        yield shop
    shop.kube.tear_down()


def format_logs(done: Mapping[str, Outputs]) -> str:
    """The exit codes and logs of all commands, for assertion messages."""
    return "\n".join(f"{name} ({each.code}):\n{each.log}" for name, each in done.items())


class Observe(Protocol):
    """Compares a situation with what is expected, and adds it to the page as a row."""

    def __call__(
        self,
        title: str,
        done: Mapping[str, Outputs],
        *,
        serves: str | dict[str, str],
        record: str,
        says: str = "",
        restored: str = "",
    ) -> None: ...


@pytest.fixture
def observe(request: pytest.FixtureRequest, first: Shop) -> Observe:
    """Compares outputs, pods and the record. `record` is its state and last good release."""
    places = itertools.count(10 * request.session.items.index(request.node))

    def observe_situation(
        title: str,
        done: Mapping[str, Outputs],
        *,
        serves: str | dict[str, str],
        record: str,
        says: str = "",
        restored: str = "",
    ) -> None:
        logs = format_logs(done)
        assert says in logs, logs
        rollbacks = [o.values for name, o in done.items() if rows.command_of(name) == "rollback"]
        assert (rollbacks or [{}])[-1].get("restored", "") == restored, logs
        expected = dict.fromkeys(APP, serves) if isinstance(serves, str) else serves
        assert first.serves() == expected, logs
        state = f"{first.record['state']}, release {first.record['release']}"
        assert state == record, logs
        answers, jobs = rows.name_answers(expected), rows.name_jobs(done)
        cells = (title, jobs, rows.quote(says), answers, state)
        row = rows.Row(rows.PROGRAM.name, next(places), cells)
        row.keep(Path(os.environ["E2E_FOLDER"]) / "rows")

    return observe_situation


@pytest.fixture
def shop(first: Shop) -> Shop:
    """The sample project after its first good release, 'one'."""
    first.build("one")
    done = first.release()
    assert first.record["state"] == "good", format_logs(done)
    assert first.record["release"] == 1, format_logs(done)
    return first

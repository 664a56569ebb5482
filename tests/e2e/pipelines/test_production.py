"""production.yml and watchdog.yml under act: what is released, what is undone, what is kept."""

from __future__ import annotations

import json

import pytest

from tests.act.github import review
from tests.act.run import Run
from tests.e2e.pipelines.conftest import ObserveRun
from tests.e2e.pipelines.shop import Shop
from tests.e2e.shop import APP, DATABASES_FROM

pytestmark = pytest.mark.e2e
ROLLED_BACK = ("Release / Monitor", "Finish")
REFUSED = ("Release / Deploy", "Finish")


def _keeps(number: int, revert: str = "") -> str:
    """The last cell of the row of a release that was rolled back."""
    left = f"tag `rollback/production/{number}`, deploy: failure, rollback: success"
    return f"{left}, {revert}" if revert else left


def _first(shop: Shop) -> Run:
    """Makes the first release, 'one'."""
    run = shop.push(shop.new_run())
    assert run.failed == set()
    assert shop.production.record["release"] == 1
    return run


@pytest.mark.always
@pytest.mark.releases(6)
def test_good_and_bad_release(shop: Shop, observe_run: ObserveRun) -> None:
    run = shop.push(shop.new_run())
    observe_run(
        "the first release", run,
        says="production: release 1 is live", serves="one", record="good, release 1",
        keeps="tag `deploy/production/1`, deploy: success",
    )  # fmt: skip
    _assert_by_digest(shop, run)
    good = shop.sample.head
    shop.change("two", "server")
    run = shop.release("two", "client", CRASH="0s")
    assert "(exit code 3)" in run.texts["Release/Monitor: monitor"]
    observe_run(
        "a service crashes at startup", run, failed=ROLLED_BACK,
        says="production: release 2 failed and was rolled back",
        serves="one", record="good, release 1", keeps=_keeps(2, "revert pull request opened"),
    )  # fmt: skip
    deployed = [(body["task"], body["ref"]) for body in shop.github.posted("deployments")]
    assert deployed == [("deploy", shop.sample.head), ("rollback", good)]
    _assert_reverted(shop, good)


@pytest.mark.releases(12)
def test_what_is_released_and_what_is_not(shop: Shop, observe_run: ObserveRun) -> None:
    _first(shop)
    first = shop.sample.head
    others = shop.production.pods("postgres", "redis", "server")
    run = shop.release("two", "client")
    now = {"server": "one", "client": "two"}
    observe_run(
        "one service changed: the pods of the others keep running", run,
        says="production: release 2 is live",
        serves=now, record="good, release 2",
        keeps="tag `deploy/production/2`, deploy: success",
    )  # fmt: skip
    assert shop.production.pods("postgres", "redis", "server") == others
    _assert_by_digest(shop, run)

    pods = shop.production.pods()
    (shop.sample.root / "README.md").write_text("a shop\n", "utf-8")
    shop.sample.commit("describe the shop")
    run = shop.push(shop.new_run())
    observe_run(
        "no service changed", run, says="production: nothing to release",
        serves=now, record="good, release 2",
    )  # fmt: skip

    run = shop.push(shop.new_run(), sha=first)
    observe_run(
        "a run of an older commit starts late", run,
        says="production: nothing to release", serves=now, record="good, release 2",
    )  # fmt: skip

    shop.change("three")
    shop.sample.break_build("server")
    run = shop.push(shop.new_run())
    observe_run(
        "a build fails", run, failed=("Build server / Build", "Finish"),
        says="production: not released, nothing was touched",
        serves=now, record="good, release 2",
    )  # fmt: skip

    (shop.sample.root / "app/server/BROKEN").unlink()
    shop.sample.commit("fix the build")
    shop.github.reviews = [review("rejected")]
    run = shop.push(shop.new_run())
    observe_run(
        "a reviewer rejects the release", run, failed=("Approve", "Finish"),
        says="production: not released, nothing was touched",
        serves=now, record="good, release 2",
    )  # fmt: skip
    assert shop.production.pods() == pods


def _assert_by_digest(shop: Shop, run: Run) -> None:
    """The digests that builds output are those of the pods, of the record and of the tag."""
    live, record = shop.production.kube.images(), shop.production.record
    tag = f"deploy/production/{record['release']}"
    message = shop.sample.git("tag", "--list", "--format=%(contents)", tag)
    kept = json.loads(message.strip().rpartition("\n")[2])["services"]
    built = [name for name in APP if f"Build {name}/Build" in run.results]
    for name in built:
        image = f"@{run.outputs[f'Build {name}/Build']['digest']}"
        assert live[name].endswith(image)
        assert record["services"][name]["image"] == kept[name]["image"] == live[name]
    assert built
    assert list(run.built.values()) == [True] * len(built), "an image was not pushed"


@pytest.mark.releases(8)
def test_going_back(shop: Shop, observe_run: ObserveRun) -> None:
    _first(shop)
    two = shop.release("two")
    assert two.failed == set()
    run = shop.dispatch(shop.new_run(), go_back="1")
    assert run.built == {}
    observe_run(
        "an operator goes back to release 1", run,
        says="production: release 3 is live", serves="one", record="held, release 3",
        keeps="tag `deploy/production/3`, deploy: success",
    )  # fmt: skip
    run = shop.release("three")
    assert "automatic releases are held" in run.texts["Release/Deploy: preflight"]
    assert run.built == {}
    observe_run(
        "a push while the environment is held", run, failed=REFUSED,
        says="production: held, nothing was released",
        serves="one", record="held, release 3",
    )  # fmt: skip
    run = shop.dispatch(shop.new_run(), force="true")
    observe_run(
        "an operator resumes releases with `force`", run,
        says="production: release 4 is live", serves="three", record="good, release 4",
        keeps="tag `deploy/production/4`, deploy: success",
    )  # fmt: skip


@pytest.mark.releases(9)
def test_images_that_fail(shop: Shop, observe_run: ObserveRun) -> None:
    _first(shop)
    good = shop.sample.head
    run = shop.release("two", "client", LOST="yes")
    assert "ImagePull" in run.texts["Release/Monitor: monitor"]
    observe_run(
        "an image does not exist in the registry", run, failed=ROLLED_BACK,
        says="production: release 2 failed and was rolled back",
        serves="one", record="good, release 1", keeps=_keeps(2, "revert pull request opened"),
    )  # fmt: skip
    _assert_reverted(shop, good)

    shop.describe("client", bake_seconds=60)
    run = shop.release("three", "client", CRASH="50s")
    assert "a container was restarted within" in run.texts["Release/Monitor: monitor"]
    observe_run(
        "a second bad release: a service crashes within the bake time", run, failed=ROLLED_BACK,
        says="production: release 3 failed and was rolled back",
        serves="one", record="good, release 1", keeps=_keeps(3, "revert pull request extended"),
    )  # fmt: skip
    _assert_reverted(shop, good)


def _assert_reverted(shop: Shop, good: str) -> None:
    """The branch of the pull request has the tree of the last known good release."""
    trees = [f"{commit}^{{tree}}" for commit in ("wfgen/revert-production", good)]
    reverted, wanted = (shop.sample.git("rev-parse", tree) for tree in trees)
    assert reverted == wanted


@pytest.mark.releases(9)
def test_health_that_fails(shop: Shop, observe_run: ObserveRun) -> None:
    _first(shop)
    deadline = "progressDeadlineSeconds: {}"
    shop.replace("kube/bases/server/deployment.yaml", deadline.format(150), deadline.format(15))
    run = shop.release("two", READY="no")
    assert "no progress within its deadline" in run.texts["Release/Deploy: deploy"]
    observe_run(
        "a service never becomes ready", run, failed=REFUSED,
        says="production: release 2 failed and was rolled back",
        serves="one", record="good, release 1", keeps=_keeps(2, "revert pull request opened"),
    )  # fmt: skip

    shop.describe("client", timeout_seconds=45)
    shop.replace("kube/bases/server/deployment.yaml", deadline.format(15), deadline.format(150))
    shop.change("three", "server")
    run = shop.release("three", "client", HEALTH="bad")
    assert "http 8080/healthz" in run.texts["Release/Monitor: monitor"]
    observe_run(
        "a service is ready, but its health check fails", run, failed=ROLLED_BACK,
        says="production: release 3 failed and was rolled back",
        serves="one", record="good, release 1", keeps=_keeps(3, "revert pull request extended"),
    )  # fmt: skip

    broken = {"LISTEN": ":6379", "RELEASE": "broken", "READY": "no"}
    shop.images.build(f"{DATABASES_FROM}/redis", broken, tag="7.4.98")
    shop.replace("kube/bases/redis/statefulset.yaml", "redis:7.4.1", "redis:7.4.98")
    shop.describe("redis", timeout_seconds=20)
    run = shop.release("four")
    observe_run(
        "a database with `rollback: never` fails, released together with the services", run,
        failed=REFUSED,
        says="production: release 4 failed and was rolled back, except redis",
        serves="one", record="good, release 1",
        keeps="tag `rollback/production/4`, deploy: failure, rollback: failure, "
        "revert pull request extended",
    )  # fmt: skip


@pytest.mark.releases(12)
def test_steps_that_fail(shop: Shop, observe_run: ObserveRun) -> None:
    _first(shop)
    good = shop.image("client")
    run = shop.release("two", MIGRATE="no")
    assert "Job server-migrate-2 failed" in run.texts["Release/Deploy: migrate"]
    observe_run(
        "a migration fails", run, failed=REFUSED,
        says="production: release 2 failed, nothing was touched",
        serves="one", record="good, release 1", keeps="deploy: failure",
    )  # fmt: skip

    shop.change("three")
    shop.production.kube.refuse(shop.image("client"))
    run = shop.push(shop.new_run())
    assert "refused by the test" in run.texts["Release/Deploy: deploy"]
    observe_run(
        "the API server accepts the dry run, then refuses the second of two services", run,
        failed=REFUSED,
        says="production: release 3 failed and was rolled back",
        serves="one", record="good, release 1", keeps=_keeps(3),
    )  # fmt: skip
    shop.production.kube.allow()

    shop.production.kube.refuse(good)
    # The next release includes the changes of release 3, whose server is good.
    mixed = {"server": "three", "client": "one"}
    run = shop.release("four", "client", CRASH="0s")
    observe_run(
        "a rollback fails", run,
        failed=("Release / Monitor", "Release / Roll back", "Finish"),
        says="production: ROLLBACK OF RELEASE 4 FAILED",
        serves=mixed, record="rollback-failed, release 1", keeps="deploy: error",
    )  # fmt: skip
    run = shop.release("five", "client")
    assert "dispatch the watchdog" in run.texts["Release/Deploy: preflight"]
    observe_run(
        "a push after a failed rollback", run,
        failed=("Release / Deploy", "Release / Roll back", "Finish"),
        says="production: not released, nothing was touched",
        serves=mixed, record="rollback-failed, release 1",
    )  # fmt: skip
    shop.production.kube.allow()
    run = shop.dispatch(shop.new_run(), "watchdog.yml", force="true")
    assert "restored: all" in run.texts["Restore production: restore"]
    observe_run(
        "the cause is fixed, and an operator dispatches the watchdog with `force`", run,
        failed=("Restore production",),
        serves="one", record="good, release 1",
    )  # fmt: skip
    assert shop.production.kube.images()["client"] == good

"""Releases that fail: what is then live, and what is recorded."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Observe
from tests.e2e.shop import DATABASES_FROM, Shop

pytestmark = pytest.mark.e2e
ABSENT = f"@sha256:{64 * '0'}"


def test_missing_image(shop: Shop, observe: Observe) -> None:
    shop.build("two")
    shop.now["client"] = f"ghcr.io/acme/shop-client{ABSENT}"
    done = shop.release()
    assert done["monitor"].values["cause"] == "app"
    observe(
        "an image does not exist in the registry", done,
        says="ImagePull", restored="all", serves="one", record="good, release 1",
    )  # fmt: skip


def test_crash_at_start(shop: Shop, observe: Observe) -> None:
    shop.build("two", "server")
    shop.build("two", "client", CRASH="0s")
    done = shop.release()
    observe(
        "a service crashes at startup", done,
        says="(exit code 3)", restored="all", serves="one", record="good, release 1",
    )  # fmt: skip


def test_crash_within_the_bake_time(shop: Shop, observe: Observe) -> None:
    shop.description["services"]["client"]["bake_seconds"] = 60
    shop.build("two", "client", CRASH="50s")
    done = shop.release()
    observe(
        "a service crashes within the bake time", done,
        says="a container was restarted within the bake time",
        restored="all", serves="one", record="good, release 1",
    )  # fmt: skip


def test_never_ready(shop: Shop, observe: Observe) -> None:
    deadline = "progressDeadlineSeconds: 150"
    shop.commit("kube/bases/server/deployment.yaml", deadline, "progressDeadlineSeconds: 15")
    shop.build("two", READY="no")
    done = shop.release()
    observe(
        "a service never becomes ready", done,
        says="no progress within its deadline",
        restored="all", serves="one", record="good, release 1",
    )  # fmt: skip


def test_health_check_that_fails(shop: Shop, observe: Observe) -> None:
    shop.description["services"]["client"]["timeout_seconds"] = 45
    shop.build("two", "client", HEALTH="bad")
    done = shop.release()
    observe(
        "a service is ready, but its health check fails", done,
        says="http 8080/healthz", restored="all", serves="one", record="good, release 1",
    )  # fmt: skip


def test_migration_that_fails(shop: Shop, observe: Observe) -> None:
    shop.build("two", MIGRATE="no")
    done = shop.release()
    observe(
        "a migration fails", done,
        says="Job server-migrate-2 failed",
        restored="nothing", serves="one", record="good, release 1",
    )  # fmt: skip


def test_apply_that_fails_in_the_middle(shop: Shop, observe: Observe) -> None:
    shop.build("two")
    shop.kube.refuse(shop.now["client"])
    done = shop.release()
    observe(
        "the API server accepts the dry run, then refuses the second of two services", done,
        says="refused by the test", restored="all", serves="one", record="good, release 1",
    )  # fmt: skip


def test_first_release_that_fails(first: Shop, observe: Observe) -> None:
    first.build("one", "server")
    first.build("one", "client", CRASH="0s")
    done = first.release()
    observe(
        "the first release fails", done,
        says="(exit code 3)", restored="except: postgres, redis",
        serves="nothing", record="good, release -1",
    )  # fmt: skip
    assert first.kube.names("deployment") == []
    assert first.kube.names("statefulset") == ["postgres", "redis"]
    assert first.kube.names("pvc") == ["data-postgres-0", "data-redis-0"]


def test_database_that_fails(shop: Shop, observe: Observe) -> None:
    broken = {"LISTEN": ":6379", "RELEASE": "broken", "READY": "no"}
    shop.images.build(f"{DATABASES_FROM}/redis", broken, tag="7.4.99")
    shop.commit("kube/bases/redis/statefulset.yaml", "redis:7.4.1", "redis:7.4.99")
    shop.description["services"]["redis"]["timeout_seconds"] = 20
    shop.build("two")
    done = shop.release()
    observe(
        "a database with `rollback: never` fails, released together with the services", done,
        says="redis: not ready after 20 s", restored="except: redis",
        serves="one", record="good, release 1",
    )  # fmt: skip


def test_two_failures_in_a_row(shop: Shop, observe: Observe) -> None:
    for name in ("two", "three"):
        shop.build(name, "server")
        shop.build(name, "client", CRASH="0s")
        done = shop.release()
    observe(
        "a bad release follows one that was rolled back", done,
        says="(exit code 3)", restored="all", serves="one", record="good, release 1",
    )  # fmt: skip


def test_content_that_failed(shop: Shop, observe: Observe) -> None:
    shop.build("two", "client", CRASH="0s")
    bad = shop.begin()
    waiting = shop.begin()  # of a later commit with the same content
    assert bad.release()["rollback"].values["restored"] == "all"
    done = waiting.release()
    assert done["preflight"].values["decision"] == "refused"
    observe(
        "a queued run has the content of a release that failed meanwhile", done,
        says="client failed with this content in commit",
        restored="nothing", serves="one", record="good, release 1",
    )  # fmt: skip
    shop.build("three", "client")
    done = shop.release()
    observe(
        "a fix follows", done,
        serves={"server": "one", "client": "three"}, record="good, release 3",
    )  # fmt: skip


def test_dry_run_that_is_refused(shop: Shop, observe: Observe) -> None:
    shop.commit("kube/bases/client/service.yaml", "port: 8080", "port: 808000")
    shop.build("two")
    done = shop.release()
    assert "server-migrate-2" not in shop.kube.names("jobs")
    observe(
        "the API server refuses the dry run of a manifest", done,
        says="the API server refuses the manifests; nothing was applied",
        restored="nothing", serves="one", record="good, release 1",
    )  # fmt: skip


def test_rollback_that_fails(shop: Shop, observe: Observe) -> None:
    good = shop.now["client"]
    shop.build("two", "client", CRASH="0s")
    shop.kube.refuse(good)
    done = shop.release()
    assert "refused by the test" in done["rollback"].log
    observe(
        "a rollback fails", done, restored="failed",
        serves="one", record="rollback-failed, release 1",
    )  # fmt: skip
    shop.build("three", "client")
    done = shop.release()
    observe(
        "a push after a failed rollback", done,
        says="dispatch the watchdog", restored="taken over",
        serves="one", record="rollback-failed, release 1",
    )  # fmt: skip
    shop.kube.allow()
    done = shop.watch(force=True)
    observe(
        "the cause is fixed, and an operator dispatches the watchdog with `force`", done,
        says="restored: all", serves="one", record="good, release 1",
    )  # fmt: skip

"""What a run releases: its commit against what the record says to be live and seen."""

from __future__ import annotations

import json
from pathlib import Path

from tests.release_program.conftest import APP, RECORD, Release, git
from tests.release_program.test_preflight import refused


def head(shop: Release, revision: str = "HEAD") -> str:
    """A commit of the checkout."""
    return git(shop.checkout, "rev-parse", revision)


def revert(shop: Release) -> str:
    """Commits the revert of the last commit."""
    git(shop.checkout, "checkout", "--quiet", "HEAD^", "--", ".")
    return shop.commit()


def has_no_change(shop: Release, writes: int) -> bool:
    """Whether only the record was written."""
    return not [write for write in shop.writes[writes:] if not write.endswith(f"/{RECORD}")]


def test_a_run_that_is_older_than_what_is_live_is_green_and_does_nothing(shop: Release) -> None:
    older = shop.commit()
    assert shop.release(services="client", client="c2")["monitor"].code == 0
    shop.sha, writes = older, len(shop.writes)
    done = shop.begin("client")
    assert (done.code, done.values["decision"], done.values["proceed"]) == (0, "stale", "false")
    assert "Stale" in done.summary
    assert len(shop.writes) == writes
    forced = shop.begin("client", WFGEN_FORCE="true")
    assert forced.has(proceed="true", services='["client"]'), forced.log


def test_a_service_that_the_plan_did_not_propose_is_released_if_it_changed(shop: Release) -> None:
    shop.build(client="c3")
    shop.plan["services"] = "[]"
    done = shop.begin(APP)
    assert done.has(decision="release", services='["client"]', sha=shop.sha), done.log
    assert json.loads(done.values["images"]) == shop.images(client="c3")


def test_a_run_that_changes_nothing_records_what_it_has_seen(shop: Release) -> None:
    first = shop.commit()
    done = shop.begin()
    assert (done.code, done.values["decision"]) == (0, "nothing"), done.log
    assert {entry["seen"] for entry in shop.record["services"].values()} == {first}
    assert shop.record["state"] == "good"
    second = shop.commit()
    assert shop.begin("client").values["decision"] == "nothing"
    seen = {name: entry["seen"] for name, entry in shop.record["services"].items()}
    assert seen == {"client": second, "server": first, "redis": first, "postgres": first}
    shop.sha, writes = first, len(shop.writes)
    done = shop.begin()  # an older one does not take the newer one back
    assert done.code == 0
    assert len(shop.writes) == writes


def test_a_revert_before_the_release_it_reverts_makes_that_release_stale(shop: Release) -> None:
    """The older run waited for approval, or for the lock."""
    shop.build(client="bad", server="bad")
    older = shop.sha
    newer = revert(shop)
    done = shop.begin(APP)
    assert (done.code, done.values["decision"]) == (0, "nothing"), done.log
    assert shop.record["services"]["client"]["seen"] == newer
    shop.sha, writes = older, len(shop.writes)
    done = shop.begin(APP, WFGEN_APPROVED=json.dumps(APP.split(",")))
    assert (done.code, done.values["decision"]) == (0, "stale"), done.log
    assert "was found equal to what is live" in done.values["reason"]
    assert len(shop.writes) == writes
    # What comes after the revert is compared as ever.
    git(shop.checkout, "checkout", "--quiet", "--detach", newer)
    assert shop.preflight(APP).values["decision"] == "release"


def test_a_release_of_one_service_records_what_it_has_seen_of_the_others(shop: Release) -> None:
    shop.build(client="bad")
    older = shop.sha
    revert(shop)
    done = shop.release(services=APP, server="s2")
    assert done["preflight"].has(services='["server"]'), done
    assert done["monitor"].values["verified"] == "true", done
    assert shop.record["services"]["client"]["seen"] == shop.sha
    assert shop.record["services"]["client"]["release"] == 1
    shop.sha = older
    stale = shop.begin(APP)
    assert (stale.code, stale.values["decision"]) == (0, "stale"), stale.log


def test_an_image_that_was_not_built_is_never_taken_from_elsewhere(shop: Release) -> None:
    shop.build(client="c2")
    shop.next_run()
    shop.plan["images"] = json.dumps(shop.images(client="c2"))  # as a forged tag may say
    writes = len(shop.writes)
    for digest in ("", "sha256:1", "none"):
        needs = json.loads(shop.needs(APP))
        needs["build_client"] = {"result": "success", "outputs": {"digest": digest}}
        done = shop.run("preflight", WFGEN_NEEDS=json.dumps(needs))
        assert refused(done, "unbuilt"), done
        assert "Re-run all jobs" in done.values["reason"]
    assert len(shop.writes) == writes
    assert shop.begin(APP).values["decision"] == "release"


def test_a_change_of_manifests_alone_is_released_with_the_recorded_image(shop: Release) -> None:
    shop.commit("kube/bases/client/deployment.yaml", "minReadySeconds: 5", "minReadySeconds: 6")
    shop.next_run()
    done = shop.run("preflight", WFGEN_NEEDS=shop.needs(APP))
    assert done.has(decision="release", services='["client"]'), done.log
    assert json.loads(done.values["images"]) == shop.images(client="c1")


def test_what_was_not_approved_is_refused_and_nothing_is_applied(shop: Release) -> None:
    shop.build(client="c3", server="s3")
    writes = len(shop.writes)
    for approved in ('["client"]', "[]"):
        done = shop.begin(APP, WFGEN_APPROVED=approved)
        assert refused(done, "unapproved"), done
        assert "server changed too" in done.log or "server, client changed too" in done.log
    shop.description["approval"] = "demand"
    assert refused(shop.begin(APP), "unapproved")  # the job that approves wrote nothing
    assert len(shop.writes) == writes
    done = shop.begin(APP, WFGEN_APPROVED='["client", "server", "redis"]')
    assert done.has(decision="release", services='["server", "client"]'), done.log


def test_content_that_failed_is_refused_until_a_fix_a_revert_or_force(shop: Release) -> None:
    good = shop.sha
    shop.cluster.behave(shop.images(client="bad")["client"], crash_loop=True)
    done = shop.release(services=APP, client="bad", server="s2")
    assert done["rollback"].has(restored="all", cause="app"), done
    (failed,) = shop.record["failed"]
    assert (failed["sha"], failed["services"]) == (shop.sha, ["client"])
    shop.commit()  # another commit, the same content
    writes = len(shop.writes)
    done_again = shop.begin(APP)
    assert refused(done_again, "refused"), done_again
    assert "client failed with this content" in done_again.values["reason"]
    assert "with `force`" in done_again.values["reason"]
    (shop.checkout / "app/server/version").write_text("s4", "utf-8")
    shop.commit()  # the blamed service is the same
    assert refused(shop.begin(APP), "refused")
    # A revert of the blamed service, though not of the other.
    assert not [write for write in shop.writes[writes:] if "PUT" in write]
    git(shop.checkout, "checkout", "--quiet", good, "--", ".")
    (shop.checkout / "app/server/version").write_text("s5", "utf-8")
    shop.commit()
    done_again = shop.begin(APP)
    assert done_again.has(decision="release", services='["server"]'), done_again.log
    assert shop.run("rollback").has(restored="nothing")
    shop.build(client="c5", server="s5")  # a fix
    assert shop.begin(APP).has(decision="release")


def test_what_force_released_again_and_verified_no_longer_counts_as_failed(shop: Release) -> None:
    bad = shop.commit(
        "kube/bases/client/deployment.yaml", "minReadySeconds: 5", "minReadySeconds: 6"
    )
    shop.change_record(failed=[{"sha": bad, "at": 0.0, "services": ["client"]}])
    shop.environment["WFGEN_FORCE"] = "true"
    done = shop.release(services="client", client="c1")
    assert done["monitor"].values["verified"] == "true", done
    assert shop.record["failed"] == []


def test_a_failed_commit_without_blame_refuses_only_the_same_content_of_everything(
    shop: Release,
) -> None:
    """As older versions recorded it."""
    shop.build(client="c3", server="s3")
    shop.change_record(failed=[{"sha": shop.sha, "at": 0.0}])
    assert refused(shop.begin(APP), "refused")
    shop.build(client="c3", server="s4")
    assert shop.begin(APP).values["decision"] == "release"


def rewritten(shop: Release, tmp_path: Path) -> tuple[str, Path]:
    """A commit beside the live one, with another client; and the remote of the checkout."""
    remote = tmp_path / "remote.git"
    git(shop.checkout, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(shop.checkout, "remote", "add", "origin", str(remote))
    live = shop.record["services"]["client"]["sha"]
    git(shop.checkout, "push", "--quiet", "origin", f"{live}:refs/heads/main")
    shop.build(client="c3")
    git(shop.checkout, "reset", "--quiet", "--soft", live)
    tree = git(shop.checkout, "write-tree")
    shop.sha = git(shop.checkout, "commit-tree", "-m", "rewritten", tree)
    git(shop.checkout, "reset", "--quiet", "--hard", shop.sha)
    return live, remote


def test_rewritten_history_is_released_if_the_default_branch_has_it_now(
    shop: Release, tmp_path: Path
) -> None:
    live, _ = rewritten(shop, tmp_path)
    writes, merge = len(shop.writes), ("commit-tree", "-m", "merge", "-p", live, "-p", shop.sha)
    both = git(shop.checkout, *merge, f"{shop.sha}^{{tree}}")
    for tip in (live, both):  # the default branch has the live commit
        git(shop.checkout, "push", "--quiet", "--force", "origin", f"{tip}:refs/heads/main")
        done = shop.begin(APP)
        assert refused(done, "stale"), done
        assert "main does not show which is newer" in done.values["reason"]
    assert has_no_change(shop, writes)
    git(shop.checkout, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
    done = shop.begin(APP)
    assert done.has(decision="release", services='["client"]'), done.log
    assert "main no longer contains" in done.log


def test_a_commit_beside_the_live_one_is_red_where_the_default_branch_is_unknown(
    shop: Release, tmp_path: Path
) -> None:
    _, remote = rewritten(shop, tmp_path)
    git(shop.checkout, "remote", "set-url", "origin", str(remote / "gone"))
    done = shop.begin(APP)
    assert refused(done, "stale"), done
    assert "main cannot be fetched" in done.values["reason"]
    assert shop.begin(APP, WFGEN_FORCE="true").values["decision"] == "release"


def test_a_live_commit_that_the_clone_lacks_is_fetched_by_its_id(
    shop: Release, tmp_path: Path
) -> None:
    live, remote = rewritten(shop, tmp_path)
    git(shop.checkout, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/main")
    git(shop.checkout, "push", "--quiet", "origin", f"{live}:refs/heads/old")
    git(remote, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "clone"
    url = f"file://{remote}"
    git(tmp_path, "clone", "--quiet", "--single-branch", "--branch=main", url, str(clone))
    shop.checkout = clone
    assert shop.begin(APP).has(decision="release", services='["client"]')
    assert git(clone, "cat-file", "-t", live) == "commit"


def test_a_service_that_is_live_with_an_unknown_commit_is_not_replaced(shop: Release) -> None:
    services = shop.record["services"]
    services["client"]["sha"] = "7" * 40
    shop.change_record(services=services)
    shop.commit()
    done = shop.begin(APP)
    assert refused(done, "stale"), done
    assert "client: 777777777777 is live" in done.values["reason"]


def test_a_run_without_the_outputs_of_the_plan_is_red(shop: Release) -> None:
    done = shop.run("preflight", WFGEN_NEEDS='{"plan": {"result": "success", "outputs": {}}}')
    assert refused(done), done
    assert "job plan wrote no outputs" in done.log

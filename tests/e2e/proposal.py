"""What the plan and the builds of a run leave for its later jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wfgen.release_program.names import Job, build_job

if TYPE_CHECKING:
    from tests.e2e.shop import Shop


def propose(
    shop: Shop, sha: str, scope: Sequence[str] = (), *, everything: bool = False
) -> dict[str, Any]:
    """Results and outputs of the plan and the builds of a commit, as `toJSON(needs)`.

    They propose what changed since the release record, as deploy tags have it; `everything` is
    with `force`, and from the second attempt on. Nothing in them is empty.
    """
    described = shop.description["services"]
    names = [name for name in described if not scope or name in scope]
    live = {} if everything or not shop.has_record() else shop.record["services"]

    def differs(name: str, paths: Sequence[str]) -> bool:
        return name not in live or shop.differs(live[name]["sha"], sha, paths)

    rebuilt = [name for name in names if differs(name, described[name]["watch"])]
    common = shop.description["watch"]
    proposed = [
        name
        for name in names
        if name in rebuilt or differs(name, [*described[name]["manifests"], *common])
    ]
    build = [name for name in rebuilt if name in shop.now]
    outputs = {
        "proposed": "true" if proposed else "false", "sha": sha, "scope": json.dumps(names),
        "services": json.dumps(proposed), "build": json.dumps(build), "images": "{}",
        "previous": "none", "go_back": "0", "trusted": "true", "number": "0", "held": "false",
    }  # fmt: skip
    builds = {name: {"result": "skipped", "outputs": {}} for name in shop.now}
    for name in build:
        digest = shop.now[name].partition("@")[2]
        builds[name] = {"result": "success", "outputs": {"digest": digest}}
    return {
        Job.PLAN: {"result": "success", "outputs": outputs},
        **{build_job(name): ended for name, ended in builds.items()},
    }

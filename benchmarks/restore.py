"""How long a bad release is live with common tools (`make bench-restore`); see README.md.

Runs on the Kubernetes of `make e2e`. Each case is an application of two replicas in a separate
namespace; all cases of a setting run side by side. The same watcher of the API times all tools.
Arguments are the parts to run: equal, defaults, slow.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.restore_tools import TOOLS, Case  # noqa: E402 - the repository's root comes first
from tests.e2e import build, cluster, launch, registry  # noqa: E402

FAILURES: dict[str, dict[str, str]] = {
    "image not found": {},
    "crash at start": {"CRASH": "0s"},
    "crash after 30 s": {"CRASH": "30s"},
    "readiness never true": {"READY": "no"},
    "none: readiness flaps for 20 s": {"READY": "flaps", "READY_AFTER": "20s"},
}
DEADLINE = 120
"""The deadline of all tools in seconds; the bases that `wfgen new` writes have 150."""
HEALTHY = (
    {"READY": "flaps", "READY_AFTER": f"{0.8 * DEADLINE:.0f}s"},
    {"READY_AFTER": f"{0.4 * DEADLINE - 3:.0f}s"},
)
"""Slow rollouts of a good version that use four fifths of the deadline; in the second one each
replica is late, one after the other."""
SLOW_ROLLOUTS, AT_ONCE = 50, 10
"""Number of slow rollouts in all, and side by side."""
CALLED_GOOD = "called good after"
BASE = {"LISTEN": ":8000", "READINESS": "/readyz"}


@dataclass
class Watcher:
    """Times in seconds since the epoch: the bad image reached the Deployment (`came`), was replaced
    there (`left`), and all pods ran the good one again (`restored`).
    """

    namespace: str
    good: str
    came: float = 0.0
    left: float = 0.0
    restored: float = 0.0
    done: bool = False

    def watch(self) -> None:
        """Polls once a second until `done` is set."""
        while not self.done:
            with contextlib.suppress(OSError):  # a busy API server: the next poll will do
                self._look(time.time())
            time.sleep(1)

    def _look(self, now: float) -> None:
        deployment = _get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/app")
        image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        if image != self.good:
            self.came, self.left, self.restored = self.came or now, 0.0, 0.0
        elif self.came:
            self.left = self.left or now
            pods = _get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
            pods = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
            if len(pods) == 2 and all(_serves(pod, self.good) for pod in pods):
                self.restored = self.restored or now


def _serves(pod: dict[str, Any], image: str) -> bool:
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}
    return pod["spec"]["containers"][0]["image"] == image and conditions.get("Ready") == "True"


def _get(path: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {cluster.TOKEN}"}
    request = urllib.request.Request(cluster.API + path, headers=headers)
    with urllib.request.urlopen(request, timeout=10, context=cluster.UNVERIFIED) as answer:
        body: dict[str, Any] = json.load(answer)
        return body


def measure(case: Case, images: registry.Images, behaviour: dict[str, str]) -> dict[str, str]:
    """Releases a good version, then the measured one; the seconds as text, or how it ended."""
    case.folder.mkdir(parents=True)
    case.kubectl("create", "namespace", case.namespace)
    good = images.build("app", {**BASE, "RELEASE": case.namespace})
    bad = images.build("app", {**BASE, **behaviour, "RELEASE": f"{case.namespace} bad"})
    if case.failure == "image not found":
        bad = f"{bad.partition('@')[0]}@sha256:{64 * '0'}"
    tool = TOOLS[case.tool]
    assert tool(case, good), (case.folder / "log").read_text()
    watcher = Watcher(case.namespace, good)
    thread = threading.Thread(target=watcher.watch)
    thread.start()
    believed = tool(case, bad)
    ended = time.time()
    while not believed and not watcher.restored and time.time() < ended + 60:
        time.sleep(1)
    watcher.done = True
    thread.join()
    case.kubectl("delete", "namespace", case.namespace, "--wait=false")
    took = f"{ended - watcher.came:.0f}"
    if believed:
        return {"detect": f"{CALLED_GOOD} {took}", "restore": "-"}
    return {
        "detect": f"{watcher.left - watcher.came:.0f}" if watcher.left else "never",
        "restore": f"{watcher.restored - watcher.came:.0f}" if watcher.restored else "never",
    }


def inside(parts: list[str]) -> int:
    """Runs all cases of these parts on the cluster of KUBECONFIG."""
    folder = Path(os.environ["E2E_FOLDER"])
    images = registry.Images(folder / "images")
    if "equal" in parts:
        compare(f"all with a deadline of {DEADLINE} s", DEADLINE, folder, images)
    if "defaults" in parts:
        compare("defaults", None, folder, images)
    if "slow" in parts:
        roll_out_slowly(folder, images)
    return 0


def compare(title: str, deadline: int | None, folder: Path, images: registry.Images) -> None:
    """Prints a table of all tools and failures."""
    cases = [
        Case(tool, failure, deadline, f"case-{deadline or 0}-{index}-{tool}", folder / "cases"
             / f"{deadline}-{index}-{tool}")
        for index, failure in enumerate(FAILURES)
        for tool in TOOLS
    ]  # fmt: skip
    with ThreadPoolExecutor(len(cases)) as pool:
        ends = list(pool.map(lambda case: measure(case, images, FAILURES[case.failure]), cases))
    results = dict(zip(((c.failure, c.tool) for c in cases), ends, strict=True))
    print(
        f"\n{title}: seconds from apply until rolled back / until all pods run the good version\n"
    )
    print(f"| failure | {' | '.join(TOOLS)} |\n|---|{'---|' * len(TOOLS)}")
    for failure in FAILURES:
        cells = [_cell(results[failure, tool]) for tool in TOOLS]
        print(f"| {failure} | {' | '.join(cells)} |", flush=True)


def roll_out_slowly(folder: Path, images: registry.Images) -> None:
    """Prints how many slow rollouts of a good version ours calls bad."""

    def release(number: int) -> dict[str, str]:
        case = Case("ours", "", DEADLINE, f"slow-{number}", folder / "cases" / f"slow-{number}")
        return measure(case, images, HEALTHY[number % len(HEALTHY)])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = [result["detect"] for result in pool.map(release, range(SLOW_ROLLOUTS))]
    alarms = [end for end in ends if not end.startswith(CALLED_GOOD)]
    seconds = sorted(int(end.rpartition(" ")[2]) for end in ends if end not in alarms)
    print(f"\n{len(ends)} slow rollouts of a good version: {len(alarms)} called bad {alarms}; the")
    print(f"others called good after {seconds[:1]} to {seconds[-1:]} s", flush=True)


def _cell(result: dict[str, str]) -> str:
    return result["detect"] if result["restore"] == "-" else " / ".join(result.values())


def main() -> int:
    """Builds the tools, starts the cluster and measures."""
    with launch.scratch() as folder:
        try:
            os.environ["HELM"] = str(_build_helm(folder))
            return launch.run(folder, [sys.executable, __file__, "--inside", *sys.argv[1:]])
        except (build.NotBuilt, cluster.NotStarted) as problem:
            print(f"make bench-restore: {problem}", file=sys.stderr)
            return 1


def _build_helm(folder: Path) -> Path:
    done = subprocess.run(
        ["go", "build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", f"{folder}/", "tool"],
        cwd=Path(__file__).with_name("helm"), env={**os.environ, "CGO_ENABLED": "0"},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise build.NotBuilt(f"Helm: {done.stderr}")
    return folder / "helm"


if __name__ == "__main__":
    if "--inside" in sys.argv:
        sys.exit(inside(sys.argv[2:] or ["equal", "defaults", "slow"]))
    sys.exit(main())

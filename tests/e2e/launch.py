"""Runs a command on a cluster: one that is started for it, or the one that E2E_KUBECONFIG names.

The cluster lives in namespaces of its own (process, network, mount), so that all of it ends with
the command, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e import build, buildah, cluster, inside

CGROUPS = Path("/sys/fs/cgroup")
NAMESPACES = ("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what a run leaves; it is gone afterwards, also where the run is terminated."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with TemporaryDirectory(prefix="wfgen-e2e-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def run(folder: Path, command: Sequence[str]) -> int:
    """The exit code of a command with a cluster: KUBECONFIG is its administrator's.

    Raises `NotBuilt` and `NotStarted`.
    """
    program = build.build_standin(folder)
    started = [sys.executable, "-m", "tests.e2e.inside", str(folder), str(program)]
    if os.environ.get("E2E_KUBECONFIG"):
        if not os.environ.get("E2E_REGISTRY"):
            raise cluster.NotStarted(
                "whence does that cluster pull? make e2e KUBECONFIG=... REGISTRY=host:port names a "
                "registry without a login that it and this machine can reach"
            )
        return _wait([*started, "-", *command])
    _check_machine()
    programs = build.build_cluster()
    command = ["setpriv", "--pdeathsig=KILL", *NAMESPACES, *started, str(programs), *command]
    try:
        with open("/proc/self/ns/net", "rb") as net, open("/proc/self/ns/mnt", "rb") as mount:
            return _wait(command, keep=(net.fileno(), mount.fileno()))
    finally:
        _remove_cgroups({path.name for path in (folder / "run").glob("*/k8s.io/*")})


def _remove_cgroups(containers: set[str]) -> None:
    """Removes the empty groups of containers that are gone, not those of another cluster."""
    for group in CGROUPS.glob("**/k8s.io"):
        for each in (*(path for path in group.iterdir() if path.name in containers), group):
            with contextlib.suppress(OSError):
                each.rmdir()


def _check_machine() -> None:
    """Raises `NotStarted` where this machine cannot be a node."""
    if os.geteuid() != 0:
        raise cluster.NotStarted(
            "a node needs root; or name a cluster that is there: make e2e KUBECONFIG=..."
        )
    if programs := cluster.missing() | buildah.missing():
        packages = " ".join(sorted(set(programs.values())))
        raise cluster.NotStarted(f"{', '.join(programs)} missing: apt-get install {packages}")


def _wait(command: list[str], keep: tuple[int, ...] = ()) -> int:
    """The exit code of a command, which gets the open files `keep` and hears of them."""
    told = {**os.environ, inside.KEPT: " ".join(map(str, keep))}
    process = subprocess.Popen(command, pass_fds=keep, env=told)
    try:
        return process.wait()
    except KeyboardInterrupt:  # a terminal tells the tests as well
        return process.wait(30)
    finally:
        process.kill()
        process.wait()

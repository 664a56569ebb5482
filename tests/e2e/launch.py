"""Runs a command with a cluster: a new one, or the one of E2E_KUBECONFIG.

A new cluster runs in separate process, network and mount namespaces, so that all of it ends with
the command, also if that is killed.
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
    """A temporary folder, which is deleted also if SIGTERM ends the run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with TemporaryDirectory(prefix="wfgen-e2e-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def run(folder: Path, command: Sequence[str]) -> int:
    """Runs a command with KUBECONFIG set to the cluster's administrator; its exit code.

    Raises `NotBuilt` and `NotStarted`.
    """
    program = build.build_standin(folder)
    started = [sys.executable, "-m", "tests.e2e.inside", str(folder), str(program)]
    if os.environ.get("E2E_KUBECONFIG"):
        if not os.environ.get("E2E_REGISTRY"):
            raise cluster.NotStarted(
                "missing REGISTRY: run `make e2e KUBECONFIG=<file> REGISTRY=<host:port>`, with a "
                "registry without a login that the cluster and this machine can reach"
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
    """Removes the empty cgroups of these containers, not those of another cluster."""
    for group in CGROUPS.glob("**/k8s.io"):
        for folder in (*(path for path in group.iterdir() if path.name in containers), group):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _check_machine() -> None:
    """Raises `NotStarted` if this machine cannot be a node."""
    if os.geteuid() != 0:
        raise cluster.NotStarted(
            "a node needs root; run as root, or use a cluster: `make e2e KUBECONFIG=<file>`"
        )
    if programs := cluster.missing() | buildah.missing():
        packages = " ".join(sorted(set(programs.values())))
        raise cluster.NotStarted(
            f"{', '.join(programs)} not found; run `apt-get install {packages}`"
        )


def _wait(command: list[str], keep: tuple[int, ...] = ()) -> int:
    """Runs a command with the open files `keep`, which E2E_KEPT lists; its exit code."""
    environment = {**os.environ, inside.KEPT: " ".join(map(str, keep))}
    process = subprocess.Popen(command, pass_fds=keep, env=environment)
    try:
        return process.wait()
    except KeyboardInterrupt:  # a terminal sends SIGINT to the tests as well
        return process.wait(30)
    finally:
        process.kill()
        process.wait()

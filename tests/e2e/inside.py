"""Runs a command with a cluster: `... inside FOLDER STANDIN PROGRAMS COMMAND...`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.e2e import cluster, serving
from tests.e2e.buildah import OUTSIDE
from tests.e2e.image import PUSH
from tests.e2e.registry import Images

KEPT = "E2E_KEPT"
"""File descriptors of the machine's network and mount namespaces."""


def main(folder: Path, program: Path, programs: str, command: list[str]) -> int:
    """Starts the cluster and runs the command; its exit code."""
    images = Images(folder / "images")
    images.add_program(program)
    environment = {**os.environ, "E2E_FOLDER": str(folder)}
    with ExitStack() as stack:
        if programs == "-":
            environment["KUBECONFIG"] = os.environ["E2E_KUBECONFIG"]
            environment[PUSH] = os.environ["E2E_REGISTRY"]
        else:
            images.build("pause", {}, tag="1", entry="pause")
            port = stack.enter_context(serving.serve(images))
            try:
                started = stack.enter_context(cluster.start(Path(programs), folder, port))
            except cluster.NotStarted as problem:
                print(f"make e2e: {problem}", file=sys.stderr)
                return 1
            environment["KUBECONFIG"] = str(started)
            environment[PUSH] = f"127.0.0.1:{port}"
            kept = os.environ[KEPT].split()
            environment[OUTSIDE] = " ".join(f"/proc/{os.getpid()}/fd/{name}" for name in kept)
        return subprocess.run(command, env=environment, check=False).returncode


def _wait_for(child: int) -> int:
    """The exit code of a child. Reaps orphans too, as the first process of a PID namespace must."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the child gets it too, and ends
    while True:
        ended, status = os.wait()
        if ended == child:
            return abs(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    if started := os.fork():
        sys.exit(_wait_for(started))
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:]))

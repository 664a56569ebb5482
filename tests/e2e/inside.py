"""The cluster and, while it runs, a command: `... inside FOLDER STANDIN PROGRAMS COMMAND...`."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.e2e import cluster, registry


def main(folder: Path, program: Path, programs: str, command: list[str]) -> int:
    """The exit code of the command."""
    images = registry.Images(folder / "images")
    images.add_program(program)
    environment = {**os.environ, "E2E_FOLDER": str(folder)}
    with ExitStack() as stack:
        if programs == "-":
            environment["KUBECONFIG"] = os.environ["E2E_KUBECONFIG"]
        else:
            images.build({}, "pause", tag="pause:1")
            port = stack.enter_context(registry.serve(images))
            try:
                started = stack.enter_context(cluster.start(Path(programs), folder, port))
            except cluster.NotStarted as problem:
                print(f"make e2e: {problem}", file=sys.stderr)
                return 1
            environment["KUBECONFIG"] = str(started)
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:]))

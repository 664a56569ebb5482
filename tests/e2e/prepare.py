"""Builds what the tests need once: the programs of the cluster, and base images if possible."""

from __future__ import annotations

import os
import sys

from tests.e2e import build, buildah
from tests.e2e.bases import build_bases


def main() -> int:
    """1 where something could not be built; `make e2e` then tries again and reports why."""
    try:
        build.build_cluster()
        if os.geteuid() == 0 and not buildah.missing():
            build_bases()
    except build.NotBuilt as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

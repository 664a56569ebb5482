"""The builder of images: Debian's buildah, which needs no daemon, with a storage of its own.

https://github.com/containers/buildah/tree/main/docs
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.build import NotBuilt

PROGRAMS = {
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
"""What building images takes, and the Debian packages that have it."""
ALONE = """
mkdir --parents /var/lib/containers
mount --bind "$1" /var/lib/containers
shift
exec "$@"
"""
"""Where buildah remembers which layers a registry has is fixed: there it finds a folder of ours."""
OUTSIDE = "E2E_OUTSIDE"
"""Names the machine's own network and mount namespace inside of those of the cluster."""


def missing() -> dict[str, str]:
    """What of the machine's own programs a build needs and this machine lacks, and its package."""
    return {name: package for name, package in PROGRAMS.items() if not shutil.which(name)}


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A folder for some moments, below that of the run where there is one."""
    place = os.environ.get("E2E_FOLDER")
    with tempfile.TemporaryDirectory(prefix="wfgen-build-", dir=place) as name:
        yield name


class Buildah:
    """Images in a folder that outlives the run; its user holds `alone` meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other builds away, those of other runs too. The lock of a killed run is free."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def tidy(self) -> None:
        """Removes what killed builds left, and images without a name.

        Those include the last builds: this version's cache of layers does not see that an argument
        of the build has changed, so nothing that an argument went into may be found there.
        """
        self.run("rm", "--all")
        self.run("rmi", "--prune", "--force")

    def build(self, *arguments: str) -> None:
        """`buildah build`, where the machine's network is. Raises `NotBuilt`."""
        options = ("--isolation=chroot", "--format=oci", "--layers", "--pull-never")
        self.run("build", *options, *arguments, before=machine())

    def run(self, *arguments: str, before: tuple[str, ...] = ()) -> str:
        """What a command of buildah prints. Raises `NotBuilt` with what it complains of.

        Its mounts end with it: they are in a mount namespace of their own.
        """
        known = self.folder / "known"
        known.mkdir(parents=True, exist_ok=True)
        with scratch_folder() as scratch:
            storage = (
                f"--root={self.folder}/storage",
                f"--runroot={scratch}/run",
                # vfs, which copies the whole file system for every layer, takes ten times as long.
                "--storage-driver=overlay",
                "--storage-opt=overlay.skip_mount_home=true",
            )
            alone = ("unshare", "--mount", "sh", "-c", ALONE, "sh", str(known))
            return run([*before, *alone, "buildah", *storage, *arguments], scratch)


def machine() -> tuple[str, ...]:
    """What a command begins with that is to run on the machine and not inside of the cluster."""
    kinds = zip(("net", "mount"), os.environ.get(OUTSIDE, "").split(), strict=False)
    namespaces = [f"--{kind}={path}" for kind, path in kinds]
    return ("nsenter", *namespaces, "--") if namespaces else ()


def run(command: list[str], scratch: str) -> str:
    """What a program prints. Raises `NotBuilt` with what it complains of."""
    done = subprocess.run(
        command,
        cwd="/", env={**os.environ, "TMPDIR": scratch},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise NotBuilt(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout

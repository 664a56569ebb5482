"""Builds images with Debian's buildah, which needs no daemon, in a separate storage.

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
"""Programs that building images needs, and their Debian packages."""
ALONE = """
mkdir --parents /var/lib/containers
mount --bind "$1" /var/lib/containers
shift
exec "$@"
"""
"""buildah always keeps there which layers a registry has: mounts a folder of the tests over it."""
OUTSIDE = "E2E_OUTSIDE"
"""Within the cluster's namespaces: the paths of the machine's network and mount namespaces."""


def missing() -> dict[str, str]:
    """The programs that building images needs and this machine lacks, with their packages."""
    return {name: package for name, package in PROGRAMS.items() if not shutil.which(name)}


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A temporary folder, below that of the run if there is one."""
    place = os.environ.get("E2E_FOLDER")
    with tempfile.TemporaryDirectory(prefix="wfgen-build-", dir=place) as name:
        yield name


class Buildah:
    """buildah with its storage in a folder that outlives the run; callers hold `alone`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Locks out other builds, also of other runs. The kernel frees the lock of a killed run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def tidy(self) -> None:
        """Removes what killed builds left, and untagged images, the latest builds among them.

        The layer cache of this version ignores that a build argument has changed, so it must not
        find a layer that depends on one.
        """
        self.run("rm", "--all")
        self.run("rmi", "--prune", "--force")

    def build(self, *arguments: str) -> None:
        """Runs `buildah build` on the machine's network. Raises `NotBuilt`."""
        options = ("--isolation=chroot", "--format=oci", "--layers", "--pull-never")
        self.run("build", *options, *arguments, before=machine())

    def run(self, *arguments: str, before: tuple[str, ...] = ()) -> str:
        """Runs a command of buildah; its output. Raises `NotBuilt` with its errors.

        It runs in a separate mount namespace, so that its mounts end with it.
        """
        known = self.folder / "known"
        known.mkdir(parents=True, exist_ok=True)
        with scratch_folder() as scratch:
            storage = (
                f"--root={self.folder}/storage",
                f"--runroot={scratch}/run",
                # vfs copies the whole file system for each layer, which takes ten times as long.
                "--storage-driver=overlay",
                "--storage-opt=overlay.skip_mount_home=true",
            )
            alone = ("unshare", "--mount", "sh", "-c", ALONE, "sh", str(known))
            return run([*before, *alone, "buildah", *storage, *arguments], scratch)


def machine() -> tuple[str, ...]:
    """The prefix of a command that runs in the machine's namespaces, not in the cluster's."""
    kinds = zip(("net", "mount"), os.environ.get(OUTSIDE, "").split(), strict=False)
    namespaces = [f"--{kind}={path}" for kind, path in kinds]
    return ("nsenter", *namespaces, "--") if namespaces else ()


def run(command: list[str], scratch: str) -> str:
    """Runs a program; its output. Raises `NotBuilt` with its errors."""
    done = subprocess.run(
        command,
        cwd="/", env={**os.environ, "TMPDIR": scratch},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise NotBuilt(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout

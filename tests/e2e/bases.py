"""Base images of the sample application, made from Debian packages: none is pulled.

All share one root file system, so that a node pulls it once. bases/ has what each image adds.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from tests.e2e.build import HERE, NotBuilt, keep
from tests.e2e.buildah import Buildah, machine, run, scratch_folder

BASES = HERE / "bases"
ROOT = "localhost/wfgen-root"
SUITE = "bookworm"
PACKAGES = ("nginx-light", "postgresql", "python3", "python3-pip", "redis-server")
LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    # The compiler that Postgres would use for its queries: large and not needed.
    "/usr/lib/*/libLLVM*",
    "/usr/lib/*/libz3*",
    "/usr/lib/postgresql/*/lib/bitcode/*",
    "/usr/lib/postgresql/*/lib/llvmjit*",
)
NO_CLUSTER = (
    'mkdir -p "$1/etc/postgresql-common"',
    'echo create_main_cluster=false >"$1/etc/postgresql-common/createcluster.conf"',
)


def build_bases() -> Buildah:
    """The builder with all base images in its storage, named like their folders.

    Raises `NotBuilt`.
    """
    recipe = [Path(__file__), *(path for path in BASES.rglob("*") if path.is_file())]
    builder = Buildah(keep("bases-", recipe))
    complete = builder.folder / "complete"
    with builder.alone():
        if complete.exists():
            return builder
        started = time.time()
        print(
            f"making base images of Debian {SUITE} (once, about a minute)",
            file=sys.stderr,
            flush=True,
        )
        shutil.rmtree(builder.folder / "storage", ignore_errors=True)
        _build_all(builder)
        complete.touch()
    print(f"made base images in {time.time() - started:.0f} s: {builder.folder}", flush=True)
    return builder


def _build_all(builder: Buildah) -> None:
    with scratch_folder() as scratch:
        command = [
            "mmdebstrap",
            "--quiet",
            "--variant=essential",
            f"--include={','.join(PACKAGES)}",
        ]
        command += ["--aptopt=APT::Install-Recommends false"]
        command += [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
        command += [f"--essential-hook={'; '.join(NO_CLUSTER)}", SUITE, f"{scratch}/root.tar"]
        run([*machine(), *command], scratch)
        recipe = Path(scratch, "Containerfile")
        recipe.write_text("FROM scratch\nADD root.tar /\n")
        builder.build(f"--tag={ROOT}", f"--file={recipe}", scratch)
    for folder in sorted(BASES.iterdir()):
        builder.build(
            f"--tag=localhost/{folder.name}", f"--file={folder}/Containerfile", str(folder)
        )


def find_base(reference: str) -> str:
    """The local base of an image such as `python:3.13.1-slim-bookworm`; the version is ignored.

    Raises `NotBuilt` if there is none.
    """
    name = reference.partition("@")[0].rpartition("/")[2].partition(":")[0]
    if not (BASES / name).is_dir():
        known = ", ".join(sorted(path.name for path in BASES.iterdir()))
        raise NotBuilt(f"no base for {reference} in tests/e2e/bases/, which has {known}")
    return f"localhost/{name}"

"""Builds the programs of a cluster from Go modules, once per version of go.mod and go.sum."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent
VERSION = "k8s.io/component-base/version"
STANDIN = "standin"
DNS = "coredns"


class NotBuilt(Exception):
    """A build that failed: why, and what to do."""


def cache() -> Path:
    """The cached folder of the programs."""
    return keep("", [HERE / "go.mod", HERE / "go.sum", *(HERE / "dns").iterdir()])


def keep(kind: str, made_of: Iterable[Path]) -> Path:
    """The cached folder, outside of the repository, of what is built from these files."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    content = b"".join(path.read_bytes() for path in sorted(made_of))
    return Path(base, "wfgen-e2e", kind + hashlib.sha256(content).hexdigest()[:12])


def build_cluster() -> Path:
    """The folder with etcd (as `server`), the control plane, kubelet, kube-proxy and CoreDNS.

    Raises `NotBuilt`.
    """
    folder = cache()
    if folder.is_dir():
        return folder
    started = time.time()
    version = _go("list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").strip()
    print(f"building Kubernetes {version} and etcd (once, some minutes)", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        major, minor, _ = version.removeprefix("v").split(".")
        values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
        flags = " ".join(f"-X {VERSION}.{name}={value}" for name, value in values.items())
        build = ("build", "-mod=readonly", "-trimpath")
        _go(*build, f"-ldflags=-s -w {flags}", "-o", f"{new}/", "tool")
        # A separate module: CoreDNS needs newer libraries than this Kubernetes was tested with.
        _go(*build, "-ldflags=-s -w", "-o", f"{new}/{DNS}", ".", folder=HERE / "dns")
        size = sum(file.stat().st_size for file in new.iterdir()) / 2**20
        if not folder.is_dir():  # whole or not at all
            new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    print(f"built {size:.0f} MiB in {time.time() - started:.0f} s: {folder}", flush=True)
    return folder


def build_standin(folder: Path) -> Path:
    """Builds the static program that runs in all pods. Raises `NotBuilt`."""
    program = folder / STANDIN
    _go("build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-o", str(program), "./standin")
    return program


def _go(*arguments: str, folder: Path = HERE) -> str:
    if shutil.which("go") is None:
        raise NotBuilt(
            "Go 1.26 or newer not found; it builds Kubernetes and the program of the pods"
        )
    done = subprocess.run(
        ["go", *arguments],
        cwd=folder, env={**os.environ, "CGO_ENABLED": "0"},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise NotBuilt(f"go {arguments[0]} failed:\n{done.stderr.strip()}")
    return done.stdout

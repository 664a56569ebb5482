"""Container images in a folder that a registry serves.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.build import STANDIN
from tests.e2e.push import Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
NAMES = ("pause", "python", "sh", "redis-cli", "pg_isready")
"""More names of the stand-in program in an image."""


@dataclass(frozen=True)
class Stored:
    """A blob or a manifest in the folder."""

    media_type: str
    digest: str
    path: Path


class Images:
    """Images in a folder: pushed to its registry, or built of the stand-in.

    With `host`, built images are pushed to that registry, for a given cluster.
    """

    def __init__(self, folder: Path, host: str = "") -> None:
        self.folder, self.host = folder, host
        (folder / "blobs").mkdir(parents=True, exist_ok=True)

    def add_program(self, program: Path) -> None:
        """Writes the layer of all built images: the stand-in under each of its names."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            entry = tarfile.TarInfo("bin/standin")
            entry.mode, entry.size = 0o755, program.stat().st_size
            with program.open("rb") as file:
                tar.addfile(entry, file)
            for name in NAMES:
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "standin"
                tar.addfile(link)
            tmp = tarfile.TarInfo("tmp")
            tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(tmp)
        layer = gzip.compress(packed.getvalue(), compresslevel=1, mtime=0)
        base = {
            "layer": _descriptor(LAYER, self._keep(layer), layer),
            "diff_id": digest_of(packed.getvalue()),
        }
        (self.folder / "layer.json").write_text(json.dumps(base))

    def build(
        self,
        repository: str,
        environment: Mapping[str, str],
        *,
        tag: str = "",
        entry: str = STANDIN,
    ) -> str:
        """Builds an image whose program gets this environment; its reference by digest."""
        base = json.loads((self.folder / "layer.json").read_text())
        variables = {"PATH": "/bin", **environment}
        config: dict[str, Any] = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": [f"/bin/{entry}"],
                "Env": [f"{name}={value}" for name, value in variables.items()],
            },
            "rootfs": {"type": "layers", "diff_ids": [base["diff_id"]]},
        }
        packed = json.dumps(config).encode()
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, self._keep(packed), packed),
            "layers": [base["layer"]],
        }
        content = json.dumps(manifest).encode()
        digest = self._keep(content)
        if tag:
            self.tag(repository, tag, digest)
        if self.host:
            registry = Registry(self.host)
            for part in (manifest["config"], base["layer"]):
                blob = (self.folder / "blobs" / part["digest"]).read_bytes()
                registry.push_blob(repository, part["digest"], blob)
            registry.push_manifest(repository, tag or digest, content, MANIFEST)
        return f"{self.host or 'ghcr.io'}/{repository}@{digest}"

    def tag(self, repository: str, tag: str, digest: str) -> None:
        """Tags a manifest."""
        path = self.folder / "tags" / repository / tag
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(digest)

    def _keep(self, content: bytes) -> str:
        return self.keep([content])

    def keep(self, parts: Iterable[bytes], digest: str = "") -> str:
        """Stores a blob and returns its digest. Raises ValueError if it is not `digest`."""
        new = self.folder / "blobs" / f"new.{threading.get_native_id()}.{os.getpid()}"
        summed = hashlib.sha256()
        with new.open("wb") as file:
            for part in parts:
                summed.update(part)
                file.write(part)
        actual = f"sha256:{summed.hexdigest()}"
        if digest not in ("", actual):
            new.unlink()
            raise ValueError(f"the digest is {actual}, not {digest}")
        new.rename(self.folder / "blobs" / actual)
        return actual

    def find(self, path: str) -> Stored | None:
        """The blob or manifest at a path of the registry's API; None if there is none."""
        match = re.fullmatch(r"/v2/([a-z0-9/._-]+)/(manifests|blobs)/([A-Za-z0-9:._-]+)", path)
        if not match:
            return None
        repository, kind, reference = match.groups()
        if not reference.startswith("sha256:"):
            tag = self.folder / "tags" / repository / reference
            if not tag.is_file():
                return None
            reference = tag.read_text()
        blob = self.folder / "blobs" / reference
        if not blob.is_file():
            return None
        media_type = MANIFEST if kind == "manifests" else "application/octet-stream"
        return Stored(media_type, reference, blob)


def digest_of(content: bytes) -> str:
    """The digest of a blob."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(kind: str, digest: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest, "size": len(content)}

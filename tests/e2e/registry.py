"""A registry of container images in a folder, and the images in it.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e.build import STANDIN
from tests.e2e.push import Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
NAMES = ("pause", "python", "sh", "redis-cli", "pg_isready")
"""What the stand-in is called in an image, besides its own name."""


class Images:
    """Images made of one program, in a folder that a registry serves.

    With `host` they are pushed to that registry, for a cluster which is not ours.
    """

    def __init__(self, folder: Path, host: str = "") -> None:
        self.folder, self.host = folder, host
        (folder / "blobs").mkdir(parents=True, exist_ok=True)

    def add_program(self, program: Path) -> None:
        """Makes the layer of all images: the stand-in under each of its names."""
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
        told = {
            "layer": _descriptor(LAYER, self._keep(layer), layer),
            "diff_id": _digest(packed.getvalue()),
        }
        (self.folder / "layer.json").write_text(json.dumps(told))

    def build(
        self,
        repository: str,
        environment: Mapping[str, str],
        *,
        tag: str = "",
        entry: str = STANDIN,
    ) -> str:
        """The reference, by digest, of an image whose program gets this environment."""
        told = json.loads((self.folder / "layer.json").read_text())
        variables = {"PATH": "/bin", **environment}
        config: dict[str, Any] = {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": [f"/bin/{entry}"],
                "Env": [f"{name}={value}" for name, value in variables.items()],
            },
            "rootfs": {"type": "layers", "diff_ids": [told["diff_id"]]},
        }
        packed = json.dumps(config).encode()
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(CONFIG, self._keep(packed), packed),
            "layers": [told["layer"]],
        }
        content = json.dumps(manifest).encode()
        digest = self._keep(content)
        if tag:
            path = self.folder / "tags" / repository / tag
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(digest)
        if self.host:
            registry = Registry(self.host)
            for part in (manifest["config"], told["layer"]):
                blob = (self.folder / "blobs" / part["digest"]).read_bytes()
                registry.push_blob(repository, part["digest"], blob)
            registry.push_manifest(repository, tag or digest, content, MANIFEST)
        return f"{self.host or 'ghcr.io'}/{repository}@{digest}"

    def _keep(self, content: bytes) -> str:
        digest = _digest(content)
        path = self.folder / "blobs" / digest
        if not path.exists():
            new = path.with_suffix(f".{threading.get_native_id()}")
            new.write_bytes(content)
            new.rename(path)
        return digest

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Media type and content of what a client asks for; None where there is no such thing."""
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
        return MANIFEST if kind == "manifests" else "application/octet-stream", blob.read_bytes()


@contextmanager
def serve(images: Images) -> Iterator[int]:
    """Serves the images on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, body: bool) -> None:
            path = self.path.partition("?")[0]
            found = ("text/plain", b"") if path == "/v2/" else images.find(path)
            kind, content = found or ("text/plain", b"")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", _digest(content))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _descriptor(kind: str, digest: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest, "size": len(content)}

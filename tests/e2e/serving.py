"""A registry on loopback, to pull from and push to.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.e2e.registry import Images

PIECE = 2**20


@contextmanager
def serve(images: Images) -> Iterator[int]:
    """Serves images on a loopback port, which it yields."""

    class Handler(RegistryHandler):
        store = images

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class RegistryHandler(BaseHTTPRequestHandler):
    """One connection to the registry of `store`."""

    protocol_version = "HTTP/1.1"
    store: ClassVar[Images]

    def do_GET(self) -> None:
        self._give(body=True)

    def do_HEAD(self) -> None:
        self._give(body=False)

    def do_POST(self) -> None:
        """Starts an upload; a layer that any repository has is mounted instead."""
        repository = self._path.removesuffix("/blobs/uploads/")
        for _ in self._body():
            pass
        wanted = self._asked("mount")
        if wanted and self.store.find(f"{repository}/blobs/{wanted}"):
            self._answer(201, Location=f"{repository}/blobs/{wanted}")
        else:
            self._answer(202, Location=f"{repository}/blobs/uploads/{uuid.uuid4().hex}")

    def do_PATCH(self) -> None:
        """Receives a part of a layer."""
        upload = self._append()
        size = upload.stat().st_size
        self._answer(202, Location=self._path, Range=f"0-{max(size - 1, 0)}")

    def do_PUT(self) -> None:
        """Receives a manifest, or completes an upload."""
        if "/manifests/" in self._path:
            self._take_manifest()
            return
        upload = self._append()
        try:
            with upload.open("rb") as file:
                pieces = iter(lambda: file.read(PIECE), b"")
                digest = self.store.keep(pieces, self._asked("digest"))
        except ValueError as problem:
            self._refuse("DIGEST_INVALID", str(problem))
        else:
            place = self._path.rpartition("/uploads/")[0]
            self._answer(201, {"Docker-Content-Digest": digest}, Location=f"{place}/{digest}")
        finally:
            upload.unlink()

    def _take_manifest(self) -> None:
        repository, _, reference = self._path.removeprefix("/v2/").partition("/manifests/")
        content = b"".join(self._body())
        manifest = json.loads(content)
        parts = [manifest["config"], *manifest["layers"]]
        missing = [
            part["digest"]
            for part in parts
            if not self.store.find(f"/v2/{repository}/blobs/{part['digest']}")
        ]
        if missing:
            self._refuse("MANIFEST_BLOB_UNKNOWN", ", ".join(missing))
            return
        digest = self.store.keep([content])
        if not reference.startswith("sha256:"):
            self.store.tag(repository, reference, digest)
        self._answer(201, {"Docker-Content-Digest": digest}, Location=self._path)

    def _give(self, body: bool) -> None:
        if self._path == "/v2/":
            self._answer(200)
            return
        stored = self.store.find(self._path)
        if stored is None:
            self._answer(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", stored.media_type)
        self.send_header("Content-Length", str(stored.path.stat().st_size))
        self.send_header("Docker-Content-Digest", stored.digest)
        self.end_headers()
        if body:
            with stored.path.open("rb") as file:
                shutil.copyfileobj(file, self.wfile, PIECE)

    @property
    def _path(self) -> str:
        return urlsplit(self.path).path

    def _asked(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    def _append(self) -> Path:
        """Appends the body of the request to the upload's file."""
        upload = self.store.folder / f"upload.{self._path.rpartition('/')[2]}"
        with upload.open("ab") as file:
            for piece in self._body():
                file.write(piece)
        return upload

    def _body(self) -> Iterator[bytes]:
        """The body in pieces: chunked, or of the length in the header."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            yield from self._read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield from self._read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass

    def _read(self, size: int) -> Iterator[bytes]:
        while size and (piece := self.rfile.read(min(size, PIECE))):
            size -= len(piece)
            yield piece

    def _refuse(self, code: str, message: str) -> None:
        body = {"errors": [{"code": code, "message": message}]}
        self._answer(400, content=json.dumps(body).encode())

    def _answer(
        self,
        status: int,
        headers: dict[str, str] | None = None,
        *,
        content: bytes = b"",
        **more: str,
    ) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), **more, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its base's name
        pass

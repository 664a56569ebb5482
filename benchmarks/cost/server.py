"""A server of git repositories on loopback that counts the bytes that it sends and receives.

Smart HTTP by `git http-backend`, and `/<repository>.tar.gz`: the archive of HEAD, as GitHub sends
it to runners.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CHUNK = 1 << 16


@dataclass
class Traffic:
    """So far: bytes of the bodies of all requests and answers, and the number of requests."""

    bytes: int = 0
    requests: int = 0

    def copy(self) -> Traffic:
        """The figures of this moment."""
        return replace(self)


@dataclass(frozen=True)
class GitServer:
    """A running server."""

    address: str
    traffic: Traffic


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[GitServer]:
    """Serves the bare repositories in a folder until the block ends."""
    traffic = Traffic()

    class Handler(_Handler):
        root = folder
        counted = traffic

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield GitServer(f"http://127.0.0.1:{server.server_port}", traffic)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    root: Path
    counted: Traffic

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path.endswith(".tar.gz"):
            self._send_archive(self.root / path.removeprefix("/").removesuffix(".tar.gz"))
        else:
            self._run_backend(path, query, b"")

    def do_POST(self) -> None:
        path, _, query = self.path.partition("?")
        self._run_backend(path, query, self._body())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Prints nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.counted.bytes += len(body)
        return body

    def _send_archive(self, repository: Path) -> None:
        command = ["git", "-C", str(repository), "archive", "--format=tar.gz", "HEAD"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            self.send_response(200)
            self.end_headers()
            self._forward(process)

    def _run_backend(self, path: str, query: str, body: bytes) -> None:
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        pipe = subprocess.PIPE
        command = ["git", "http-backend"]
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment) as process:
            assert process.stdin
            process.stdin.write(body)
            process.stdin.close()
            self._send_headers(process)
            self._forward(process)

    def _send_headers(self, process: subprocess.Popen[bytes]) -> None:
        """The headers that a CGI program prints; its `Status` becomes the answer's status."""
        assert process.stdout
        headers: dict[str, str] = {}
        while line := process.stdout.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name] = value
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _forward(self, process: subprocess.Popen[bytes]) -> None:
        """Sends what a process prints; the end of the connection ends the answer (HTTP/1.0)."""
        assert process.stdout
        self.counted.requests += 1
        while part := process.stdout.read(_CHUNK):
            self.counted.bytes += len(part)
            self.wfile.write(part)

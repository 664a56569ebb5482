"""A proxy in front of the API server: fails, delays and drops requests, and kills their client."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.judges.tools import find_program

COMMANDS = ("preflight", "migrate", "deploy", "monitor", "rollback")
PATHS = (
    "/wfgen-release",
    "/configmaps",
    "/deployments/server",
    "/deployments/client",
    "/pods",
    "/",
)
IMAGES: tuple[dict[str, str], ...] = (
    {}, {}, {}, {}, {}, {"CRASH": "0s"}, {"CRASH": "9s"}, {"READY": "no"}, {"HEALTH": "bad"},
)  # fmt: skip
"""Environments of images, as standin/ reads them; those without a variable are good."""


@dataclass
class Fault:
    """The next `times` requests that match fail."""

    verb: str
    path: str
    """A part of the request's path."""
    status: int
    times: int
    after: bool
    """The request takes effect, and its answer is lost."""
    reset: bool
    seconds: float


@dataclass(frozen=True)
class Death:
    """A command is killed at the `number`th request of a verb, before or after it takes effect."""

    command: str
    verbs: str
    number: int
    after: bool


@dataclass(frozen=True)
class Trouble:
    """Everything that goes wrong with one release."""

    faults: list[Fault]
    death: Death | None
    server: dict[str, str]
    client: dict[str, str]


def draw(chance: random.Random) -> Trouble:
    """A random trouble."""
    faults = [
        Fault(
            verb=chance.choice(["GET", "POST", "PUT", "PATCH", "DELETE", ""]),
            path=chance.choice(PATHS),
            status=chance.choice([403, 409, 429, 500, 503, 504]),
            times=chance.randint(1, 8),
            after=chance.random() < 0.5,
            reset=chance.random() < 0.5,
            seconds=chance.choice([0.0, 0.0, 2.0]),
        )
        for _ in range(chance.randint(0, 3))
    ]
    writes = chance.random() < 0.5
    death = Death(
        command=chance.choice(COMMANDS),
        verbs="PUT|PATCH|POST|DELETE" if writes else "",
        number=chance.randint(1, 9 if writes else 40),
        after=chance.random() < 0.5,
    )
    killed = death if chance.random() < 0.5 else None
    return Trouble(faults, killed, chance.choice(IMAGES), chance.choice(IMAGES))


@dataclass
class Proxy:
    """The faults that are active."""

    port: int = 0
    faults: list[Fault] = field(default_factory=list)
    death: Death | None = None
    group: int = 0
    """The process group to kill; 0 while another command runs."""
    seen: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def begin(self, command: str, group: int) -> None:
        """Counts requests for the death of this command from now on."""
        due = self.death is not None and self.death.command == command
        self.group, self.seen = group if due else 0, 0

    def find(self, verb: str, path: str) -> Fault | None:
        """The fault of a request, which is then used once; None without one."""
        with self._lock:
            for fault in self.faults:
                if fault.times and verb.startswith(fault.verb) and fault.path in path:
                    fault.times -= 1
                    return fault
        return None

    def dies(self, verb: str) -> Death | None:
        """The death at this request, which is counted; None without one."""
        with self._lock:
            death = self.death
            if death is None or not self.group or not re.match(death.verbs, verb):
                return None
            self.seen += 1
            return death if self.seen == death.number else None


class Server(ThreadingHTTPServer):
    """Serves the proxy; `behind` is the socket of `kubectl proxy` to the API server."""

    daemon_threads = True

    def __init__(self, proxy: Proxy, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.proxy, self.behind = proxy, behind

    def handle_error(self, request: object, client_address: object) -> None:
        """Prints nothing: the client has been killed."""


class Handler(BaseHTTPRequestHandler):
    """Answers requests with the faults of the proxy."""

    protocol_version = "HTTP/1.1"
    server: Server

    def answer(self) -> None:
        """Forwards a request, unless it fails."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        proxy = self.server.proxy
        fault, death = proxy.find(self.command, self.path), proxy.dies(self.command)
        if death and not death.after:
            return self._kill()
        if fault and not fault.after:
            return self._fail(fault)
        status, kind, content = self._ask(body)
        if death:
            return self._kill()
        return self._fail(fault) if fault else self._say(status, kind, content)

    def _ask(self, body: bytes) -> tuple[int, str, bytes]:
        passed = {
            name: value for name, value in self.headers.items()
            if name not in ("Host", "Connection", "Accept-Encoding")
        }  # fmt: skip
        upstream = http.client.HTTPConnection("localhost", timeout=60)
        upstream.sock = socket.socket(socket.AF_UNIX)
        upstream.sock.connect(self.server.behind)
        upstream.request(self.command, self.path, body or None, passed)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        return answer.status, answer.headers.get("Content-Type", ""), content

    def _fail(self, fault: Fault) -> None:
        time.sleep(fault.seconds)
        if fault.reset:
            return self._reset()
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
        text = json.dumps({**status, "code": fault.status, "message": "a fault of the test"})
        return self._say(fault.status, "application/json", text.encode())

    def _kill(self) -> None:
        os.killpg(self.server.proxy.group, signal.SIGKILL)
        self._reset()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def _say(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Prints nothing."""


for verb in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(Handler, f"do_{verb}", Handler.answer)


@contextmanager
def running(folder: str) -> Iterator[Proxy]:
    """A proxy on loopback to the cluster of KUBECONFIG, with its administrator's credentials."""
    proxy, behind = Proxy(), f"{folder}/api.sock"
    command = [find_program("kubectl"), "proxy", f"--unix-socket={behind}"]
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL) as upstream,
        Server(proxy, behind) as server,
    ):
        proxy.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            server.shutdown()
            upstream.terminate()

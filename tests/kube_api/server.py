"""The API over HTTP on a loopback port, and below /_test/ the interface for tests."""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.kube_api import controllers
from tests.kube_api.api import Answer, Api, Request
from tests.kube_api.errors import ApiError, bad_request


class Hook(NamedTuple):
    """An action after the first request that matches."""

    verb: str
    path: str
    action: Callable[[], object]

    def matches(self, request: Request) -> bool:
        """Whether the hook is for this request."""
        return self.verb == request.verb and bool(re.search(self.path, request.address))


class Server(ThreadingHTTPServer):
    """Answers one request at a time, each at the current time of the cluster."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, api: Api, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.api = api
        self.lock = threading.RLock()
        self.hooks: list[Hook] = []

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that close the connection, as killed ones do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def respond(self, request: Request) -> tuple[Answer, bytes]:
        """Answers a request under the lock, then runs its hooks; the answer and its body."""
        with self.lock:
            done = self._respond(request)
            due = [hook for hook in self.hooks if hook.matches(request)]
            self.hooks = [hook for hook in self.hooks if hook not in due]
        for hook in due:  # without the lock: a hook may wait, and other requests are answered
            hook.action()
        return done

    def _respond(self, request: Request) -> tuple[Answer, bytes]:
        try:
            path = urlsplit(request.address).path
            if path.startswith("/_test/"):
                done = Answer(200, self._test(request.verb, path, request.body))
            else:
                done = self.api.answer(request)
        except ApiError as error:
            done = Answer(error.code, error.status())
        except Exception as error:  # noqa: BLE001 - the API server answers its panics so
            traceback.print_exc()
            text = f"Internal error occurred: {error!r}"
            done = Answer(500, ApiError(500, "InternalError", text).status())
        if isinstance(done.body, str):
            return done._replace(kind="text/plain"), done.body.encode()
        return done, json.dumps(done.body).encode()

    def _test(self, verb: str, path: str, body: Any) -> Any:
        api = self.api
        try:
            if (verb, path) == ("GET", "/_test/state"):
                controllers.tick(api.world)
                return {"objects": list(api.world.store.objects.values())}
            if (verb, path) == ("GET", "/_test/requests"):
                return {"requests": api.requests}
            if (verb, path) == ("POST", "/_test/behaviour"):
                controllers.tick(api.world)  # until now, the former behaviours apply
                api.world.behaviours.update(body)
                return {}
            if (verb, path) == ("POST", "/_test/faults"):
                api.faults.add(body if isinstance(body, list) else [body])
                return {}
        except (TypeError, ValueError, AttributeError) as error:
            raise bad_request(str(error)) from error
        raise ApiError(404, "NotFound", f"no {verb} {path}")


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "fake-kube-api"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = (self.headers.get("Content-Type") or "").partition(";")[0]
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            error = bad_request("the fake reads JSON only")
            self._send(Answer(400, None), json.dumps(error.status()).encode())
            return
        accept, agent = self.headers.get("Accept") or "", self.headers.get("User-Agent") or ""
        request = Request(self.command, self.path, kind, body, accept, agent)
        answer, data = self.server.respond(request)
        time.sleep(answer.slow)
        self._send(answer, data)

    def _send(self, answer: Answer, data: bytes) -> None:
        if answer.reset:
            # A linger time of zero makes closing a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - names of http.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Logs nothing."""

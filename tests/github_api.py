"""A stand-in for the HTTP APIs that releases call: GitHub's, Slack's, PagerDuty's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """A request to the stand-in."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any
    headers: Mapping[str, str]
    """By names in lower case; repeated ones have all values, separated by commas."""


@dataclass
class Api:
    """Gives the answers that a test sets, and records all requests."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    _answers: dict[tuple[str, str], list[tuple[int, Any, dict[str, str]]]] = field(
        default_factory=dict
    )

    def on(
        self, method: str, path: str, body: Any = None, status: int = 200, **headers: str
    ) -> None:
        """Adds an answer to a request; each is given once, the last one always."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self._answers.setdefault((method, path), []).append((status, body, names))

    def now(self, method: str, path: str, body: Any = None, status: int = 200) -> None:
        """Sets the answer to a request, in place of all added before."""
        self._answers[method, path] = [(status, body, {})]

    def answer(self, request: Request) -> tuple[int, Any, dict[str, str]]:
        """Status, body and headers of the answer to a request."""
        self.requests.append(request)
        answers = self._answers.get((request.method, request.path))
        if not answers:
            return 404, {"message": "Not Found"}, {}
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def clear(self) -> None:
        """Forgets all answers and requests."""
        self._answers.clear()
        self.requests.clear()

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies of the requests of this kind."""
        return [r.body for r in self.requests if (r.method, r.path) == (method, path)]


@contextmanager
def serving(api: Api) -> Iterator[None]:
    """Runs a stand-in on a loopback port and sets its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            parts = urlsplit(self.path)
            body = json.loads(raw) if raw else None
            names = {name.lower() for name in self.headers}
            headers = {name: ", ".join(self.headers.get_all(name, [])) for name in names}
            request = Request(self.command, parts.path, parse_qs(parts.query), body, headers)
            status, answer, more = api.answer(request)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(text.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PATCH = _handle  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the inherited name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""The fake's HTTP side, on a loopback port."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakekube.apply import merge_patch
from tests.fakekube.controller import Behaviour, Controller
from tests.fakekube.resources import BY_PLURAL, discovery, openapi_v3
from tests.fakekube.store import ApiError, Key, Object, Store, resource_of

_PATH = re.compile(
    r"/(?:api/v1|apis/[^/]+/[^/]+)"
    r"(?:/namespaces/(?P<place>[^/]+)(?=/))?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+)(?P<more>/.*)?)?"
)


class FakeCluster:
    """A cluster for one test: `with FakeCluster(folder) as cluster`, then `cluster.kubeconfig`."""

    def __init__(self, folder: Path, behaviour: Behaviour | None = None) -> None:
        self.store = Store()
        self.behaviour: Behaviour = dict(behaviour or {})
        self.controller = Controller(self.store, self.behaviour)
        self.faults: list[dict[str, Any]] = []
        self.writes: list[str] = []
        """Every request that changed something: verb and path."""
        self.lock = threading.RLock()
        self.store.create(("namespaces", "", "default"), {"metadata": {"name": "default"}})
        cluster = self

        class Handler(_Handler):
            fake = cluster

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(_kubeconfig(self.server.server_port), "utf-8")

    def __enter__(self) -> FakeCluster:
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def create(self, *things: Object) -> None:
        """Puts objects in, as somebody else would have."""
        with self.lock:
            for thing in things:
                metadata, resource = thing["metadata"], resource_of(thing)
                place = metadata.get("namespace", "default") if resource.namespaced else ""
                self.store.create((resource.plural, place, metadata["name"]), thing)

    def namespace(self, name: str) -> None:
        """Makes a namespace."""
        self.create({"kind": "Namespace", "metadata": {"name": name}})

    def find(self, kind: str, name: str, place: str) -> Object | None:
        """An object, or None."""
        plural = next(r.plural for r in BY_PLURAL.values() if r.kind == kind)
        with self.lock:
            self.controller.tick()
            found = self.store.objects.get((plural, place, name))
            return json.loads(json.dumps(found)) if found else None

    def images(self, place: str) -> dict[str, str]:
        """The image of each workload's first container, by the workload's name."""
        with self.lock:
            return {
                thing["metadata"]["name"]: thing["spec"]["template"]["spec"]["containers"][0][
                    "image"
                ]
                for plural in ("deployments", "statefulsets", "daemonsets")
                for thing in self.store.select(plural, place)
            }

    def names(self, kind: str, place: str) -> list[str]:
        """Names of the objects of a kind."""
        plural = next(r.plural for r in BY_PLURAL.values() if r.kind == kind)
        with self.lock:
            return [thing["metadata"]["name"] for thing in self.store.select(plural, place)]

    def fault(self, verb: str, path: str, status: int, times: int = 1, skip: int = 0) -> None:
        """The next requests of this verb, to a path that matches, are answered so."""
        self.faults.append(
            {"verb": verb, "path": path, "status": status, "times": times, "skip": skip}
        )

    def answer(self, verb: str, address: str, kind: str, body: Any) -> tuple[int, Any]:
        """Status and body of the answer to one request."""
        split = urlsplit(address)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        for fault in self.faults:
            if (
                fault["verb"] != verb
                or not fault["times"]
                or not re.search(fault["path"], split.path)
            ):
                continue
            if fault["skip"]:
                fault["skip"] -= 1
            else:
                fault["times"] -= 1
                raise ApiError(fault["status"], "InternalError", "a fault of the test")
        if split.path.startswith("/openapi/v3"):
            return 200, openapi_v3(split.path)
        if (found := discovery(split.path)) is not None:
            return 200, found
        match = _PATH.fullmatch(split.path)
        if not match or match["plural"] not in BY_PLURAL:
            raise ApiError(404, "NotFound", f"the fake knows no {split.path}")
        self.controller.tick()
        key = (match["plural"], match["place"] or "", match["name"] or "")
        if match["more"]:
            return self._inside(key, match["more"])
        done = self._do(verb, key, query, kind, body)
        if verb != "GET" and "dryRun" not in query:
            self.writes.append(f"{verb} {split.path}")
            self.controller.tick()
        return done

    def _do(
        self, verb: str, key: Key, query: dict[str, str], kind: str, body: Any
    ) -> tuple[int, Any]:
        plural, place, name = key
        dry_run = "dryRun" in query
        if verb == "GET" and name:
            return 200, self.store.read(key)
        if verb == "GET":
            resource = BY_PLURAL[plural]
            labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
            return 200, {
                "kind": f"{resource.kind}List",
                "apiVersion": resource.api_version,
                "metadata": {"resourceVersion": str(self.store.version)},
                "items": self.store.select(plural, place, labels, fields),
            }
        if verb == "POST":
            return 201, self.store.create((plural, place, body["metadata"]["name"]), body, dry_run)
        if verb == "PUT":
            return 200, self.store.replace(key, body)
        if verb == "DELETE":
            return 200, self.store.delete(key)
        if kind == "application/apply-patch+yaml":
            return 200, self.store.apply(key, body, query["fieldManager"], dry_run)
        return 200, self.store.replace(key, merge_patch(self.store.read(key), body))

    def _inside(self, key: Key, more: str) -> tuple[int, Any]:
        """Logs, and the proxy to a pod."""
        plural, place, name = key
        name, _, _ = name.partition(":")
        pod = self.store.read((plural, place, name))
        if more == "/log":
            return 200, f"a line of {name}\n"
        if more.startswith("/proxy"):
            path = more.removeprefix("/proxy") or "/"
            how = self.controller.behaves(pod["spec"]["containers"][0]["image"])
            status = how.get("http", {}).get(path, 200)
            if status >= 400:
                raise ApiError(status, "ServiceUnavailable", f"{path} answers {status}")
            return 200, "ok"
        raise ApiError(501, "NotImplemented", f"the fake has no {more}")


class _Handler(BaseHTTPRequestHandler):
    fake: FakeCluster
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one packet

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        kind = (self.headers.get("Content-Type") or "").split(";")[0]
        try:
            body = json.loads(raw) if raw else None
            with self.fake.lock:
                status, answer = self.fake.answer(self.command, self.path, kind, body)
                text = answer if isinstance(answer, str) else json.dumps(answer)
        except ApiError as error:
            status = error.code
            text = json.dumps(
                {
                    "kind": "Status", "apiVersion": "v1", "status": "Failure",
                    "reason": error.reason, "message": str(error), "code": error.code,
                }
            )  # fmt: skip
        data = text.encode()
        self.send_response(status)
        plain = not text.startswith("{")
        self.send_header("Content-Type", "text/plain" if plain else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Tests have no use for a log of requests."""


def _kubeconfig(port: int) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "fake", "user": {}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        }
    )

"""Answers requests: routing, faults, and the list of writes."""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.kube_api import controllers, discovery, podapi, writes
from tests.kube_api.errors import ApiError, bad_request, not_found, not_implemented
from tests.kube_api.faults import Fault, Faults
from tests.kube_api.resources import Key, Object, Resource, find
from tests.kube_api.tables import table
from tests.kube_api.world import World
from tests.kube_api.writes import Options

APPLY = "application/apply-patch+yaml"

_PATH = re.compile(
    r"(?P<prefix>/api/v1|/apis/[^/]+/[^/]+)"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/[a-z]))?"
    r"/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<more>.*))?)?"
)
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


class Request(NamedTuple):
    """A request with its parsed body."""

    verb: str
    address: str
    kind: str = ""
    """The body's media type."""
    body: Any = None
    accept: str = ""
    agent: str = ""


class Answer(NamedTuple):
    """An answer; a body that is a string is sent as text."""

    status: int
    body: Any
    kind: str = "application/json"
    headers: dict[str, str] = {}
    reset: bool = False
    """Resets the connection instead of answering."""
    slow: float = 0.0
    """Seconds to wait before sending it."""


class Api:
    """The API server."""

    def __init__(self, world: World, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self.requests: list[dict[str, Any]] = []
        """The writing requests, in order."""

    def answer(self, request: Request) -> Answer:
        """Answers a request; errors are answers too."""
        fault = self.faults.take(request.verb, unquote(request.address))
        slow = fault.slow if fault else 0.0
        if slow:
            fault = None
        try:
            done = self._faulty(fault) if fault and not fault.after else self._answer(request)
        except ApiError as error:
            done = Answer(error.code, error.status())
        if request.verb != "GET":
            self._audit(request, done)
        return self._faulty(fault) if fault and fault.after else done._replace(slow=slow)

    def _faulty(self, fault: Fault) -> Answer:
        error = fault.error()
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
        return Answer(error.code, error.status(), headers=headers, reset=fault.reset)

    def _audit(self, request: Request, done: Answer) -> None:
        split = urlsplit(request.address)
        query = parse_qs(split.query)
        self.requests.append(
            {
                "time": time.time(),
                "verb": request.verb,
                "path": split.path,
                "dry_run": "dryRun" in query,
                "manager": "".join(query.get("fieldManager", [])),
                "kind": request.kind,
                "agent": request.agent,
                "status": 0 if done.reset else done.status,
            }
        )

    def _answer(self, request: Request) -> Answer:
        split = urlsplit(request.address)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        if split.path in ("/healthz", "/livez", "/readyz"):
            return Answer(200, "ok")
        discovered = discovery.answer(split.path, request.accept)
        if discovered:
            return Answer(200, discovered[1], discovered[0])
        match = _PATH.fullmatch(split.path)
        resource = find(match["prefix"], match["plural"]) if match else None
        if not match or not resource:
            raise ApiError(404, "NotFound", "the server could not find the requested resource")
        controllers.tick(self.world)
        key = Key(resource.plural, match["namespace"] or "", unquote(match["name"] or ""))
        more = match["more"] or ""
        if resource.plural == "pods" and more and more != "status":
            if request.verb != "GET":
                raise not_implemented(f"{request.verb} of pods/{more}")
            status, body = podapi.answer(self.world, key, unquote(more), query)
            return Answer(status, body)
        if more not in ("", "status"):
            raise not_implemented(f"{resource.plural}/{more}")
        if request.verb == "GET":
            return Answer(200, self._read(resource, key, query, request.accept))
        return Answer(*self._write(resource, key, query, request, more))

    def _read(self, resource: Resource, key: Key, query: dict[str, str], accept: str) -> Object:
        if query.get("watch") in ("true", "1"):
            raise not_implemented("watches")
        store = self.world.store
        if key.name:
            items = [store.read(key)]
        else:
            labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
            items = store.select(resource.plural, key.namespace, labels, fields)
        if "as=Table" in accept.partition(",")[0]:
            return table(resource.kind, items, self.world.time)
        if key.name:
            return items[0]
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": {"resourceVersion": str(store.version)},
            "items": items,
        }

    def _write(
        self, resource: Resource, key: Key, query: dict[str, str], request: Request, more: str
    ) -> tuple[int, Any]:
        store, verb, body = self.world.store, request.verb, request.body
        options = Options(
            query.get("fieldManager") or request.agent.partition("/")[0] or "unknown",
            dry_run=query.get("dryRun") == "All",
            force=query.get("force") == "true",
            subresource=more,
        )
        if verb == "DELETE" and not key.name:
            labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
            selected = store.select(resource.plural, key.namespace, labels, fields)
            for obj in selected:
                writes.delete(store, self.world.key(obj), options, body)
            return 200, {"kind": f"{resource.kind}List", "metadata": {}, "items": selected}
        if verb == "DELETE":
            return 200, writes.delete(store, key, options, body)
        if verb == "POST" and not key.name:
            return 201, writes.create(store, key, body, options)
        if verb == "PUT":
            return 200, writes.replace(store, key, body, options)
        if verb == "PATCH" and request.kind == APPLY:
            exists = key in store.objects
            return 200 if exists else 201, writes.apply(store, key, body, options)
        if verb == "PATCH":
            return 200, writes.patch(store, key, request.kind, body, options)
        if verb == "POST":
            raise not_found(resource, key.name)
        raise bad_request(f"{verb} is not supported for {resource.plural}")

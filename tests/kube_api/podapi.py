"""Subresources of a pod: its log, and HTTP through the API server's proxy."""

from __future__ import annotations

from typing import Any

from tests.kube_api.behaviour import Behaviour
from tests.kube_api.errors import ApiError, bad_request, not_implemented
from tests.kube_api.resources import Key, Object
from tests.kube_api.world import World

NOT_HTTP = frozenset({5432, 6379})
"""Ports of programs that close the connection on an HTTP request."""


def answer(world: World, key: Key, what: str, query: dict[str, str]) -> tuple[int, Any]:
    """Status and body for a subresource of a pod; `key.name` may be NAME:PORT for the proxy."""
    name, _, port = key.name.removeprefix("http:").removesuffix(":").partition(":")
    pod = world.store.read(key._replace(name=name))
    if what == "log":
        return 200, _log(world, pod, query)
    if what == "proxy" or what.startswith("proxy/"):
        return _proxy(world, pod, int(port or 80), what.removeprefix("proxy") or "/")
    raise not_implemented(f"pods/{what.partition('/')[0]}")


def container_of(pod: Object, name: str) -> tuple[Object, Object]:
    """A container and its status. Raises 400 if there is none of this name."""
    for container in pod["spec"]["containers"]:
        if name in ("", container["name"]):
            statuses = (pod.get("status") or {}).get("containerStatuses") or []
            named = [status for status in statuses if status["name"] == container["name"]]
            return container, named[0] if named else {}
    raise bad_request(f"container {name} is not valid for pod {pod['metadata']['name']}")


def _log(world: World, pod: Object, query: dict[str, str]) -> str:
    container, status = container_of(pod, query.get("container", ""))
    name, own = container["name"], pod["metadata"]["name"]
    state = status.get("state") or {}
    if query.get("previous") == "true":
        if not (status.get("lastState") or {}).get("terminated"):
            raise bad_request(f'previous terminated container "{name}" in pod "{own}" not found')
    elif not status:
        raise bad_request(f'container "{name}" in pod "{own}" does not have a host assigned')
    elif "waiting" in state and not status.get("containerID"):
        reason = state["waiting"]["reason"]
        why = {
            "ErrImagePull": "image can't be pulled",
            "ImagePullBackOff": "trying and failing to pull image",
        }.get(reason, reason)
        raise bad_request(f'container "{name}" in pod "{own}" is waiting to start: {why}')
    how = world.behaviours.of(container["image"])
    text = how.logs or f"{name}: log of {container['image']} in {own}"
    lines = text.rstrip("\n").splitlines()
    if query.get("tailLines"):
        lines = lines[-int(query["tailLines"]) :] if query["tailLines"] != "0" else []
    return "".join(f"{line}\n" for line in lines)


def _proxy(world: World, pod: Object, port: int, path: str) -> tuple[int, Any]:
    address = f"{(pod.get('status') or {}).get('podIP', '')}:{port}"
    for container in pod["spec"]["containers"]:
        ports = [item["containerPort"] for item in container.get("ports") or []]
        if port in ports:
            _, status = container_of(pod, container["name"])
            if "running" not in (status.get("state") or {}):
                break
            if port in NOT_HTTP:
                raise _unreachable("EOF")
            run = world.runs[pod["metadata"]["uid"]]
            age = world.time - (run.begun or world.time)
            return _http(world.behaviours.of(container["image"]), path, age)
    raise _unreachable(f"dial tcp {address}: connect: connection refused")


def _http(how: Behaviour, path: str, age: float) -> tuple[int, Any]:
    status = how.http.get(path, 200) if age >= how.http_after else 200
    return status, f"{status} of {path}\n"


def _unreachable(why: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", f"error trying to reach service: {why}")

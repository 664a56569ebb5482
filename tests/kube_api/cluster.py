"""The fake cluster as tests use it."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.kube_api import controllers, patches, writes
from tests.kube_api.api import Api
from tests.kube_api.behaviour import Behaviours
from tests.kube_api.faults import Faults
from tests.kube_api.resources import BY_KIND, Key, Object, key_of
from tests.kube_api.server import Hook, Server
from tests.kube_api.store import Store
from tests.kube_api.world import World
from tests.kube_api.writes import Options

TIME_SCALE = 0.02
"""Real seconds per second of a manifest: a deadline of 120 s ends after 2.4 s."""
LAG = 0.02


class FakeCluster:
    """A cluster: `with FakeCluster() as cluster`, then `cluster.environment` for kubectl."""

    def __init__(
        self,
        folder: Path | None = None,
        behaviour: dict[str, dict[str, Any]] | None = None,
        faults: list[dict[str, Any]] | None = None,
        time_scale: float = TIME_SCALE,
        lag: float = LAG,
        port: int = 0,
    ) -> None:
        """`folder` is for the kubeconfig and kubectl's cache (default: a temporary folder)."""
        self._own = None if folder else Path(tempfile.mkdtemp(prefix="kube-api-"))
        self.folder = folder or Path(str(self._own))
        self.world = World(Store(), Behaviours(behaviour or {}), time_scale, lag)
        self.api = Api(self.world, Faults(faults or []))
        self.server = Server(self.api, port)
        self.kubeconfig = self.folder / "kubeconfig"
        self.kubeconfig.write_text(kubeconfig(self.server.url), "utf-8")
        self._thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        for name in ("default", "kube-system"):
            self.namespace(name)

    def __enter__(self) -> FakeCluster:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)

    @property
    def url(self) -> str:
        """The address of the API server."""
        return self.server.url

    @property
    def environment(self) -> dict[str, str]:
        """The variables for kubectl: KUBECONFIG, and KUBECACHEDIR for discovery."""
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.folder / "kubectl-cache"),
        }

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The writing requests so far: time, verb, path, dry_run, manager, status."""
        with self.server.lock:
            return list(self.api.requests)

    def create(self, *objects: Object, manager: str = "another-client") -> None:
        """Creates objects as another client."""
        with self.server.lock:
            controllers.tick(self.world)
            for obj in objects:
                key = key_of(obj)
                writes.create(self.world.store, key, obj, Options(manager))

    def namespace(self, name: str) -> None:
        """Creates a namespace."""
        obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.create(obj)

    def patch(self, kind: str, name: str, namespace: str, body: Object) -> None:
        """Merges a patch into an object as another client."""
        with self.server.lock:
            controllers.tick(self.world)
            key = Key(BY_KIND[kind].plural, namespace, name)
            writes.patch(self.world.store, key, patches.MERGE, body, Options("another-client"))

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Deletes an object as another client."""
        with self.server.lock:
            controllers.tick(self.world)
            self.world.store.remove(Key(BY_KIND[kind].plural, namespace, name))

    def objects(self, kind: str, namespace: str = "", labels: str = "") -> list[Object]:
        """The objects of a kind, sorted by name (default: of all namespaces)."""
        with self.server.lock:
            controllers.tick(self.world)
            plural = BY_KIND[kind].plural
            return copy.deepcopy(self.world.store.select(plural, namespace, labels))

    def find(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """An object, or None."""
        objects = self.objects(kind, namespace)
        return next((obj for obj in objects if obj["metadata"]["name"] == name), None)

    def names(self, kind: str, namespace: str = "") -> list[str]:
        """The names of the objects of a kind."""
        return [obj["metadata"]["name"] for obj in self.objects(kind, namespace)]

    def images(self, namespace: str) -> dict[str, str]:
        """The image of each workload's first container, by the workload's name."""
        return {
            obj["metadata"]["name"]: obj["spec"]["template"]["spec"]["containers"][0]["image"]
            for kind in ("Deployment", "StatefulSet", "DaemonSet")
            for obj in self.objects(kind, namespace)
        }

    def running(self, namespace: str) -> dict[str, str]:
        """The image of the first container of each ready pod, by the pod's name."""
        return {
            pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"]
            for pod in self.objects("Pod", namespace)
            if any(
                c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"]
            )
        }

    def rolled_out(self, namespace: str) -> bool:
        """Whether each Deployment and StatefulSet runs its newest template, all replicas ready."""
        for kind in ("Deployment", "StatefulSet"):
            for workload in self.objects(kind, namespace):
                status, replicas = workload.get("status") or {}, workload["spec"]["replicas"]
                names = ("replicas", "updatedReplicas", "readyReplicas")
                if any(status.get(name, 0) != replicas for name in names):
                    return False
                if status.get("observedGeneration") != workload["metadata"]["generation"]:
                    return False
        return True

    def snapshot(self) -> World:
        """The state of the cluster, for `restore`."""
        with self.server.lock:
            controllers.tick(self.world)
            return copy.deepcopy(self.world)

    def restore(self, snapshot: World) -> None:
        """Restores a snapshot; faults, hooks and the list of requests are then empty."""
        with self.server.lock:
            self.server.hooks = []
            self.world = self.api.world = copy.deepcopy(snapshot)
            self.api.faults = Faults([])
            self.api.requests = []

    def fault(self, verb: str, path: str, status: int = 500, times: int = 1, **more: Any) -> None:
        """Makes the next `times` requests that match fail: see `Fault`."""
        with self.server.lock:
            self.api.faults.add(
                [{"verb": verb, "path": path, "status": status, "times": times, **more}]
            )

    def after(self, verb: str, path: str, action: Callable[[], object]) -> None:
        """Calls `action` once: after the next request that matches took effect, before its answer.

        `path` is a regular expression, searched for in path and query. When the client has the
        answer, `action` has returned: the order does not depend on how busy the machine is.
        """
        with self.server.lock:
            self.server.hooks.append(Hook(verb, path, action))

    @contextmanager
    def holding(self, verb: str, path: str) -> Iterator[Callable[[], None]]:
        """Holds the answer to the next request that matches until the block ends.

        Yields a function that returns when the request took effect. Its client then waits for the
        answer, so a signal reaches it within this request. The function raises `TimeoutError` if
        there is no such request within 60 s.
        """
        reached, ended = threading.Event(), threading.Event()

        def wait() -> None:
            if not reached.wait(60):
                raise TimeoutError(f"no {verb} request to {path} within 60 s")

        def hold() -> None:
            reached.set()
            ended.wait()

        self.after(verb, path, hold)
        try:
            yield wait
        finally:
            ended.set()

    def behave(self, image: str, **how: Any) -> None:
        """Sets how containers behave whose image contains this text, from now on."""
        with self.server.lock:
            controllers.tick(self.world)
            self.world.behaviours.update({image: how})

    def wait(self, done: Callable[[], bool], seconds: float = 10) -> None:
        """Waits until a condition is true. Raises `TimeoutError` with the states of pods."""
        deadline = time.time() + seconds
        while not done():
            if time.time() > deadline:
                pods = {p["metadata"]["name"]: p["status"] for p in self.objects("Pod")}
                raise TimeoutError(f"not true within {seconds} s: {json.dumps(pods, indent=1)}")
            time.sleep(0.02)


def kubeconfig(url: str) -> str:
    """A kubeconfig for an address."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": url}}],
            "users": [{"name": "fake", "user": {}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
        },
        indent=2,
    )

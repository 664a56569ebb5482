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
"""A second of a manifest lasts so many seconds: a deadline of 120 is over after 2.4 seconds."""
LAG = 0.02


class FakeCluster:
    """A cluster for one test: `with FakeCluster() as cluster`, then `cluster.kubeconfig`."""

    def __init__(
        self,
        folder: Path | None = None,
        behaviour: dict[str, dict[str, Any]] | None = None,
        faults: list[dict[str, Any]] | None = None,
        time_scale: float = TIME_SCALE,
        lag: float = LAG,
        port: int = 0,
    ) -> None:
        """`folder` is for kubeconfig and kubectl's cache; without one, a temporary folder."""
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
        """What kubectl needs: KUBECONFIG, and KUBECACHEDIR for discovery."""
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.folder / "kubectl-cache"),
        }

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The writing requests up to now: time, verb, path, dry_run, manager, status."""
        with self.server.lock:
            return list(self.api.requests)

    def create(self, *things: Object, manager: str = "somebody") -> None:
        """Puts objects in, as somebody else would have."""
        with self.server.lock:
            controllers.tick(self.world)
            for thing in things:
                key = key_of(thing)
                writes.create(self.world.store, key, thing, Options(manager))

    def namespace(self, name: str) -> None:
        """Makes a namespace."""
        thing = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.create(thing)

    def patch(self, kind: str, name: str, namespace: str, body: Object) -> None:
        """Merges a patch into an object, as somebody else would have."""
        with self.server.lock:
            controllers.tick(self.world)
            key = Key(BY_KIND[kind].plural, namespace, name)
            writes.patch(self.world.store, key, patches.MERGE, body, Options("somebody"))

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Deletes an object, as somebody else would have."""
        with self.server.lock:
            controllers.tick(self.world)
            self.world.store.remove(Key(BY_KIND[kind].plural, namespace, name))

    def objects(self, kind: str, namespace: str = "", labels: str = "") -> list[Object]:
        """The objects of a kind by name; of all namespaces, where none is given."""
        with self.server.lock:
            controllers.tick(self.world)
            plural = BY_KIND[kind].plural
            return copy.deepcopy(self.world.store.select(plural, namespace, labels))

    def find(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """An object, or None."""
        found = (t for t in self.objects(kind, namespace) if t["metadata"]["name"] == name)
        return next(found, None)

    def names(self, kind: str, namespace: str = "") -> list[str]:
        """The names of the objects of a kind."""
        return [thing["metadata"]["name"] for thing in self.objects(kind, namespace)]

    def images(self, namespace: str) -> dict[str, str]:
        """The image of each workload's first container, by the workload's name."""
        return {
            thing["metadata"]["name"]: thing["spec"]["template"]["spec"]["containers"][0]["image"]
            for kind in ("Deployment", "StatefulSet", "DaemonSet")
            for thing in self.objects(kind, namespace)
        }

    def running(self, namespace: str) -> dict[str, str]:
        """The image of each pod's first container that is ready, by the pod's name."""
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
        """All that is there now, for `restore`."""
        with self.server.lock:
            controllers.tick(self.world)
            return copy.deepcopy(self.world)

    def restore(self, snapshot: World) -> None:
        """Puts a snapshot back; faults, hooks and the list of requests are as in a new cluster."""
        with self.server.lock:
            self.server.hooks = []
            self.world = self.api.world = copy.deepcopy(snapshot)
            self.api.faults = Faults([])
            self.api.requests = []

    def fault(self, verb: str, path: str, status: int = 500, times: int = 1, **more: Any) -> None:
        """The next requests of this verb, to a path that matches, are answered so."""
        with self.server.lock:
            self.api.faults.add(
                [{"verb": verb, "path": path, "status": status, "times": times, **more}]
            )

    def after(self, verb: str, path: str, action: Callable[[], object]) -> None:
        """Calls `action` once: after the next such request took effect, before its answer is sent.

        `path` is a regular expression that is searched for in path and query. A client that needs
        the answer sees all that `action` did: an order of events that no busy machine changes.
        """
        with self.server.lock:
            self.server.hooks.append(Hook(verb, path, action))

    @contextmanager
    def holding(self, verb: str, path: str) -> Iterator[Callable[[], None]]:
        """Holds the answer to the next such request until the block ends.

        Yields a function that waits until the request took effect. From then on its client waits
        for the answer, so that a signal reaches it within this very request. It raises
        `TimeoutError` where no such request comes within a minute.
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
        """From now on, containers whose image has this text in it behave so."""
        with self.server.lock:
            controllers.tick(self.world)
            self.world.behaviours.update({image: how})

    def wait(self, done: Callable[[], bool], seconds: float = 10) -> None:
        """Waits until a condition holds. Raises `TimeoutError` with the pods' states."""
        deadline = time.time() + seconds
        while not done():
            if time.time() > deadline:
                pods = {p["metadata"]["name"]: p["status"] for p in self.objects("Pod")}
                raise TimeoutError(f"not within {seconds} s: {json.dumps(pods, indent=1)}")
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

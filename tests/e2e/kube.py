"""kubectl as the cluster's administrator, in one namespace."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.judges.tools import find_program

Object = dict[str, Any]
CLAIMS = ("data-postgres-0", "data-redis-0")


class Kube:
    """kubectl in a namespace; `folder` has the volumes on this machine."""

    def __init__(self, namespace: str, folder: Path) -> None:
        self.namespace, self.folder = namespace, folder
        self._program = find_program("kubectl")

    def run(self, *arguments: str, text: str = "") -> str:
        """Runs kubectl; its output. Raises RuntimeError with its errors."""
        done = subprocess.run(
            [self._program, "-n", self.namespace, *arguments],
            input=text, capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, "GOGC": "off"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def get(self, kind: str, name: str) -> Object:
        """One object. Raises RuntimeError if there is none."""
        obj: Object = json.loads(self.run("get", kind, name, "-o", "json"))
        return obj

    def objects(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        items: list[Object] = json.loads(self.run("get", kind, "-o", "json"))["items"]
        return items

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        return sorted(obj["metadata"]["name"] for obj in self.objects(kind))

    def create(self, *objects: Object) -> None:
        """Creates objects."""
        self.run("create", "-f", "-", text="\n".join(json.dumps(obj) for obj in objects))

    def set_up(self, role: list[Object], kubeconfig: Path) -> None:
        """Creates the namespace, the deployer's rights and kubeconfig, and volumes if needed."""
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        self.give_rights(role, kubeconfig)
        self.make_volumes()

    def give_rights(self, role: list[Object], kubeconfig: Path) -> None:
        """Binds a role of docs/delivery-setup.md, and writes a kubeconfig for it."""
        for obj in copy.deepcopy(role):
            if "namespace" in obj["metadata"]:
                obj["metadata"]["namespace"] = self.namespace
            else:  # shared by all tests: the name must be unique
                obj["metadata"]["name"] = self.namespace
                if "roleRef" in obj:
                    obj["roleRef"]["name"] = self.namespace
            self.create(obj)
        group = next(obj["subjects"][0]["name"] for obj in role if "subjects" in obj)
        config = json.loads(self.run("config", "view", "--raw", "--minify", "-o", "json"))
        config["users"][0]["user"].update({"as": "deployer", "as-groups": [group]})
        kubeconfig.write_text(json.dumps(config))
        kubeconfig.chmod(0o600)

    def make_volumes(self) -> None:
        """Creates volumes for the claims of the databases, unless the cluster provisions them."""
        if not self.objects("storageclass"):
            self.create(*(self._volume(claim) for claim in CLAIMS))

    def tear_down(self) -> None:
        """Deletes everything that was set up, and what was created in it, without waiting."""
        self.allow()
        rights = "clusterrolebinding,clusterrole"
        self._remove(rights, self.namespace)
        self._remove("namespace", self.namespace)
        self._remove("persistentvolume", *(f"{self.namespace}-{claim}" for claim in CLAIMS))

    def _remove(self, kinds: str, *names: str) -> None:
        self.run("delete", kinds, *names, "--ignore-not-found", "--wait=false")

    def refuse(self, image: str) -> None:
        """Makes the API server refuse Deployments of an image, except in a dry run.

        https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
        """
        rule = {
            "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"],
            "operations": ["CREATE", "UPDATE"],
        }  # fmt: skip
        unlike = f"object.spec.template.spec.containers[0].image != '{image}'"
        base = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "metadata": {"name": self.namespace},
        }
        here = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        self.create(
            {
                **base,
                "kind": "ValidatingAdmissionPolicy",
                "spec": {
                    "matchConstraints": {"resourceRules": [rule], "namespaceSelector": here},
                    "validations": [
                        {
                            "expression": f"request.dryRun || {unlike}",
                            "message": "refused by the test",
                        }
                    ],
                },
            },
            {
                **base,
                "kind": "ValidatingAdmissionPolicyBinding",
                "spec": {"policyName": self.namespace, "validationActions": ["Deny"]},
            },
        )
        self.wait(lambda: self._refuses(image), 60)

    def allow(self) -> None:
        """Undoes `refuse`."""
        kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy"
        self.run("delete", kinds, self.namespace, "--ignore-not-found")

    def _refuses(self, image: str) -> bool:
        """Whether the policy is in force: the API server needs some seconds."""
        labels = {"test": "policy"}
        pod = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "a", "image": image}]},
        }
        name = f"probe-{time.time_ns()}"
        probe = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod},
        }
        try:
            self.create(probe)
        except RuntimeError as refused:
            return "refused by the test" in str(refused)
        self.run("delete", "deployment", name)
        return False

    def _volume(self, claim: str) -> Object:
        name = f"{self.namespace}-{claim}"
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # no fsGroup is applied to a hostPath
        place = {"path": str(folder), "type": "DirectoryOrCreate"}
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce"],
                "claimRef": {"namespace": self.namespace, "name": claim},
                "hostPath": place,
            },
        }

    def pods(self, service: str) -> list[Object]:
        """The ready pods of a service that are not being deleted."""
        labels = ("-l", f"app.kubernetes.io/name={service}")
        return [
            pod
            for pod in json.loads(self.run("get", "pods", *labels, "-o", "json"))["items"]
            if "deletionTimestamp" not in pod["metadata"]
            and any(
                (condition["type"], condition["status"]) == ("Ready", "True")
                for condition in pod["status"].get("conditions", [])
            )
        ]

    def images(self) -> dict[str, str]:
        """The image that the ready pods of each service run; several if they differ."""
        running: dict[str, set[str]] = {}
        for service in ("postgres", "redis", "server", "client"):
            images = {pod["spec"]["containers"][0]["image"] for pod in self.pods(service)}
            running[service] = images
        return {name: ", ".join(sorted(images)) for name, images in running.items()}

    def ask(self, service: str, port: str, path: str = "/", key: str = "release") -> str:
        """The release that the ready pods of a service answer with; several if they differ."""
        names = [pod["metadata"]["name"] for pod in self.pods(service)]
        base = f"/api/v1/namespaces/{self.namespace}/pods"
        answers = {
            json.loads(self.run("get", "--raw", f"{base}/{name}{port}/proxy{path}"))[key]
            for name in names
        }
        return ", ".join(sorted(answers)) or "nothing"

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Waits until a condition is true. Raises TimeoutError after some seconds."""
        deadline = time.time() + seconds
        while not condition():
            if time.time() > deadline:
                raise TimeoutError(f"not within {seconds} s in {self.namespace}")
            time.sleep(0.7)


def from_environment(namespace: str) -> Kube:
    """The cluster of `make e2e`."""
    return Kube(namespace, Path(os.environ["E2E_FOLDER"]) / "volumes")

"""What a test asks of a cluster as its administrator, in one namespace."""

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
    """kubectl in a namespace; `folder` is where volumes of this machine are."""

    def __init__(self, namespace: str, folder: Path) -> None:
        self.namespace, self.folder = namespace, folder
        self._program = find_program("kubectl")

    def run(self, *arguments: str, text: str = "") -> str:
        """What kubectl prints. Raises RuntimeError with what it complains of."""
        done = subprocess.run(
            [self._program, "-n", self.namespace, *arguments],
            input=text, capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, "GOGC": "off"},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def get(self, kind: str, name: str) -> Object:
        """One object. Raises RuntimeError where there is none."""
        found: Object = json.loads(self.run("get", kind, name, "-o", "json"))
        return found

    def objects(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        found: list[Object] = json.loads(self.run("get", kind, "-o", "json"))["items"]
        return found

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        return sorted(thing["metadata"]["name"] for thing in self.objects(kind))

    def create(self, *things: Object) -> None:
        """Creates objects."""
        self.run("create", "-f", "-", text="\n".join(json.dumps(thing) for thing in things))

    def set_up(self, role: list[Object], kubeconfig: Path) -> None:
        """The namespace, its deployer's rights and kubeconfig; volumes where nobody makes them."""
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        self.give_rights(role, kubeconfig)
        self.make_volumes()

    def give_rights(self, role: list[Object], kubeconfig: Path) -> None:
        """Binds a role of docs/delivery-setup.md, and writes the kubeconfig of who has it."""
        for thing in copy.deepcopy(role):
            if "namespace" in thing["metadata"]:
                thing["metadata"]["namespace"] = self.namespace
            else:  # others may have the same one
                thing["metadata"]["name"] = self.namespace
                if "roleRef" in thing:
                    thing["roleRef"]["name"] = self.namespace
            self.create(thing)
        group = next(thing["subjects"][0]["name"] for thing in role if "subjects" in thing)
        config = json.loads(self.run("config", "view", "--raw", "--minify", "-o", "json"))
        config["users"][0]["user"].update({"as": "deployer", "as-groups": [group]})
        kubeconfig.write_text(json.dumps(config))
        kubeconfig.chmod(0o600)

    def make_volumes(self) -> None:
        """What the claims of the databases are bound to, where nobody else makes volumes."""
        if not self.objects("storageclass"):
            self.create(*(self._volume(claim) for claim in CLAIMS))

    def tear_down(self) -> None:
        """Removes what was set up and all that came into it; does not wait for it."""
        self.allow()
        rights = "clusterrolebinding,clusterrole"
        self._remove(rights, self.namespace)
        self._remove("namespace", self.namespace)
        self._remove("persistentvolume", *(f"{self.namespace}-{claim}" for claim in CLAIMS))

    def _remove(self, kinds: str, *names: str) -> None:
        self.run("delete", kinds, *names, "--ignore-not-found", "--wait=false")

    def refuse(self, image: str) -> None:
        """From now on the API server refuses Deployments of an image, though not in a dry run.

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
        """The API server refuses nothing any more."""
        kinds = "validatingadmissionpolicybinding,validatingadmissionpolicy"
        self.run("delete", kinds, self.namespace, "--ignore-not-found")

    def _refuses(self, image: str) -> bool:
        """Whether a policy that was made is in force: that takes the API server some seconds."""
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
        """The ready pods of a service that are not on their way out."""
        labels = ("-l", f"app.kubernetes.io/name={service}")
        return [
            pod
            for pod in json.loads(self.run("get", "pods", *labels, "-o", "json"))["items"]
            if "deletionTimestamp" not in pod["metadata"]
            and any(
                (each["type"], each["status"]) == ("Ready", "True")
                for each in pod["status"].get("conditions", [])
            )
        ]

    def images(self) -> dict[str, str]:
        """The image that the ready pods of each service run, several where they differ."""
        found: dict[str, set[str]] = {}
        for service in ("postgres", "redis", "server", "client"):
            images = {pod["spec"]["containers"][0]["image"] for pod in self.pods(service)}
            found[service] = images
        return {name: ", ".join(sorted(images)) for name, images in found.items()}

    def ask(self, service: str, port: str, path: str = "/", key: str = "release") -> str:
        """The release that each ready pod of a service answers, by HTTP; several if they differ."""
        names = [pod["metadata"]["name"] for pod in self.pods(service)]
        base = f"/api/v1/namespaces/{self.namespace}/pods"
        told = {
            json.loads(self.run("get", "--raw", f"{base}/{name}{port}/proxy{path}"))[key]
            for name in names
        }
        return ", ".join(sorted(told)) or "nothing"

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Waits until a condition holds. Raises TimeoutError."""
        deadline = time.time() + seconds
        while not condition():
            if time.time() > deadline:
                raise TimeoutError(f"not within {seconds} s in {self.namespace}")
            time.sleep(0.7)


def from_environment(namespace: str) -> Kube:
    """The cluster that `make e2e` started, or was given."""
    return Kube(namespace, Path(os.environ["E2E_FOLDER"]) / "volumes")

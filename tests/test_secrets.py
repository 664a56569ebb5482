"""The Secrets that a release makes: their names, keys and values, and who refers to them."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import case
from wfgen.generate.description import describe
from wfgen.generate.plan import plan
from wfgen.release_program.cluster import manifests
from wfgen.release_program.contract import Description
from wfgen.release_program.failure import Failure
from wfgen.specs import loading

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  template:
    spec:
      containers:
        - name: NAME
          image: NAME
          envFrom: [{secretRef: {name: SECRET}}]
"""


def described(root: Path, name: str, secrets: dict[str, str]) -> Description:
    """The environment of a case, with an overlay in which services use these Secrets."""
    files = case.read("ok", name)
    resources = []
    for service, secret in secrets.items():
        files[f"kube/{service}.yaml"] = DEPLOYMENT.replace("NAME", service).replace(
            "SECRET", secret
        )
        resources.append(f"../../{service}.yaml")
    files["kube/overlays/production/kustomization.yaml"] = json.dumps({"resources": resources})
    (environment,) = plan(loading.load(case.write(root, files))).environments
    return describe(environment)


def rendered(
    description: Description, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """The objects of a release, as kustomize builds them."""
    if shutil.which("kubectl") is None:
        case.missing("kubectl")
    monkeypatch.chdir(folder)
    layer = folder / "layer"
    layer.mkdir()
    made = manifests._layer(description, list(description.services.values()), {}, layer)
    (layer / "kustomization.yaml").write_text(json.dumps(made), "utf-8")
    command = ["kubectl", "kustomize", str(layer), "--load-restrictor=LoadRestrictionsNone"]
    return list(yaml.safe_load_all(subprocess.check_output(command, text=True)))


def test_a_secret_has_the_keys_and_the_name_of_the_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"web": "web.environment", "worker": "worker-secrets"}
    description = described(tmp_path, "secrets-of-other-names", secrets)
    monkeypatch.setenv("SECRET_RDS_PW", 'rds\'s "password"')
    monkeypatch.setenv("SECRET_SESSION_KEY", "key")
    objects = rendered(description, tmp_path, monkeypatch)
    data = {
        m["metadata"]["name"].rpartition("-")[0]: {
            key: base64.b64decode(value).decode() for key, value in m["data"].items()
        }
        for m in objects
        if m["kind"] == "Secret"
    }
    password = 'rds\'s "password"'
    assert data == {
        "web.environment": {"TYPEORM_PASSWORD": password, "session.key": "key"},
        "worker-secrets": {"PGPASSWORD": password},
    }
    for service in description.services.values():
        full = manifests.secret_of(service, objects)
        assert full.startswith(f"{service.secret}-")
        (workload,) = manifests.workloads_of(service, objects)
        (container,) = manifests.pod_spec(workload)["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": full}}]
        manifests._check_secret(service, objects)


def test_a_release_makes_no_secret_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    description = described(tmp_path, "secrets-existing", {"web": "web", "worker": "web"})
    services = list(description.services.values())
    manifests._check_values(description, services)
    objects = rendered(description, tmp_path, monkeypatch)
    assert {m["kind"] for m in objects} == {"Deployment"}
    assert {manifests.secret_of(service, objects) for service in services} == {
        "web",
        "cache-secrets",
    }
    for service in services:
        manifests._check_secret(service, objects)


def test_a_missing_value_is_named_with_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    description = described(tmp_path, "secrets-of-other-names", {})
    monkeypatch.setenv("SECRET_SESSION_KEY", "key")
    with pytest.raises(Failure, match="in the GitHub environment production: RDS_PW\\. See"):
        manifests._check_values(description, list(description.services.values()))


@pytest.mark.parametrize(
    ("use", "is_stale"),
    [
        ({"name": "web.environment"}, False),
        ({"envFrom": [{"secretRef": {"name": "web.environment"}}]}, True),
        ({"env": [{"valueFrom": {"secretKeyRef": {"name": "web.environment"}}}]}, True),
        ({"volumes": [{"secret": {"secretName": "web.environment"}}]}, True),
        (
            {"volumes": [{"projected": {"sources": [{"secret": {"name": "web.environment"}}]}}]},
            True,
        ),
        ({"envFrom": [{"secretRef": {"name": "web.environment-abcdefghij"}}]}, False),
    ],
)
def test_a_reference_that_kustomize_did_not_update_is_refused(
    use: dict[str, Any], is_stale: bool, tmp_path: Path
) -> None:
    service = described(tmp_path, "secrets-of-other-names", {}).services["web"]
    secret = {"kind": "Secret", "metadata": {"name": "web.environment-abcdefghij"}}
    workload = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [use]}}},
    }
    if is_stale:
        with pytest.raises(Failure, match="not the Secret of this release"):
            manifests._check_secret(service, [secret, workload])
    else:
        manifests._check_secret(service, [secret, workload])

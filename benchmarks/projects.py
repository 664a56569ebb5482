"""Projects of any number of services, as users write them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PROJECT = """\
project: shop
wfgen: "{version}"
registry: {{type: ghcr, namespace: acme}}
secrets: [DATABASE_URL, SLACK_WEBHOOK_URL]
notify: {{slack_secret: SLACK_WEBHOOK_URL}}
environments:
  production:
    deploy_on: push
    approval: true
    cluster:
      type: eks
      name: shop
      region: eu-central-1
      role: arn:aws:iam::111122223333:role/shop-release
  staging:
    deploy_on: pull_request
    cluster:
      type: eks
      name: shop-staging
      region: eu-central-1
      role: arn:aws:iam::111122223333:role/shop-preview
"""

SERVICE = """\
kind: server
depends_on: [{before}]
build:
  context: app/{name}
  dynamic_args: {{GIT_SHA: sha}}
  test: make test
ports: [8080]
health: {{http: /healthz}}
secrets: {{DATABASE_URL: {{from: DATABASE_URL}}}}
"""

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
        - name: {name}
          image: {name}
          ports: [{{containerPort: 8080}}]
          envFrom: [{{secretRef: {{name: {name}-secrets}}}}]
"""


def names(count: int, stem: str = "service") -> list[str]:
    """Names of `count` services."""
    return [f"{stem}-{index:04}" for index in range(count)]


def write(root: Path, services: Iterable[str], version: str, *, project: str = PROJECT) -> Path:
    """Writes a repository of these services to `root`: ten chains of dependencies."""
    services = list(services)
    files = {"specs/project.yaml": project.format(version=version)}
    for index, name in enumerate(services):
        before = services[index - 10] if index >= 10 else ""
        files[f"specs/{name}.yaml"] = SERVICE.format(name=name, before=before)
        files[f"app/{name}/Dockerfile"] = "FROM scratch\n"
        files[f"kube/bases/{name}/deployment.yaml"] = DEPLOYMENT.format(name=name)
        files[f"kube/bases/{name}/kustomization.yaml"] = "resources: [deployment.yaml]\n"
    listed = "".join(f"  - ../../bases/{name}\n" for name in services)
    for environment in ("production", "staging"):
        files[f"kube/overlays/{environment}/kustomization.yaml"] = f"resources:\n{listed}"
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return root

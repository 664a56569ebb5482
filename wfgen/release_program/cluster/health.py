"""Health checks of a service's pods, through the API server's proxy.

https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
"""

from __future__ import annotations

import re

from ..contract import Health, Service
from . import kubectl
from .kubectl import KubectlError

MAX_PODS = 5
"""Maximum number of pods that are checked in one look."""

_CLOSED = re.compile(r"dial tcp|connection refused|no route to host|i/o timeout")


def ask(service: Service, pods: list[str], namespace: str, again: bool) -> str:
    """Which pod fails the health check, and how; '' where none does or there is no check.

    `again` is whether they passed before. A TCP check is then skipped: many programs log each
    connection that sends nothing. A gRPC check is always skipped, since the API server's proxy does
    not support it: the kubelet's probe does it, and the pod's readiness is its result.
    """
    check = service.health
    if check is None or check.type == "grpc" or (again and check.type == "tcp"):
        return ""
    for pod in pods[:MAX_PODS]:
        problem = _ask(service, check, pod, namespace)
        if problem:
            return f"{pod}: {problem}"
    return ""


def _ask(service: Service, check: Health, pod: str, namespace: str) -> str:
    try:
        if check.type == "exec":
            container = service.workloads[0].container
            kubectl.run(
                "exec", pod, "-n", namespace, "-c", container, "--", *check.command, attempts=1
            )
        else:
            path = check.path if check.type == "http" else "/"
            address = f"/api/v1/namespaces/{namespace}/pods/{pod}:{check.port}/proxy{path}"
            kubectl.run("get", "--raw", address, attempts=1)
    except KubectlError as error:
        if check.type == "tcp" and not _CLOSED.search(str(error)):
            return ""  # the port is open; the answer is not HTTP
        request = (
            " ".join(check.command)
            if check.type == "exec"
            else f"{check.type} {check.port}{check.path}"
        )
        return f"{request}: {error}"
    return ""

"""Asks the copies of a service whether they are well, by way of the API server.

https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
"""

from __future__ import annotations

import re

from ..contract import Health, Service
from . import kubectl
from .kubectl import KubectlError

ASKED = 5
"""So many pods are asked at a time, at most."""

_CLOSED = re.compile(r"dial tcp|connection refused|no route to host|i/o timeout")


def ask(service: Service, pods: list[str], namespace: str, again: bool) -> str:
    """What is wrong with the copies; '' where all are well, or where no check was specified.

    `again` is whether they were well before: an open port is not asked for time and again, as
    programs write a line of their log for each connection that says nothing. Nor is gRPC, which no
    proxy of the API server speaks: the kubelet asks, and its answer is the pod's readiness.
    """
    check = service.health
    if check is None or check.type == "grpc" or (again and check.type == "tcp"):
        return ""
    for pod in pods[:ASKED]:
        complaint = _ask(service, check, pod, namespace)
        if complaint:
            return f"{pod}: {complaint}"
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
            return ""  # something answered, and it speaks no HTTP
        wanted = (
            " ".join(check.command)
            if check.type == "exec"
            else f"{check.type} {check.port}{check.path}"
        )
        return f"{wanted}: {error}"
    return ""

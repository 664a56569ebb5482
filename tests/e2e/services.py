"""Services on the node: kube-proxy for their addresses, CoreDNS for their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

NODE = "10.87.0.1"
ADDRESSES = "10.96.0.0/16"
DNS = "10.96.0.10"
DOMAIN = "cluster.local"
PROXY_READY = "http://127.0.0.1:10256/healthz"
DNS_READY = "http://127.0.0.1:8181/ready"
SYSTEM = "kube-system"


def proxy_configuration(folder: Path) -> dict[str, Any]:
    """https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/.

    All pods are on one bridge, so an answer would bypass the node, which has to translate it back
    to the Service's address: hence `masqueradeAll`. The limits of connection tracking belong to the
    machine; a network namespace cannot set them.
    """
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": f"{folder}/kubeconfig"},
        "hostnameOverride": "node",
        "bindAddress": NODE,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        "iptables": {"masqueradeAll": True, "localhostNodePorts": False},
        "conntrack": {
            "maxPerCore": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def corefile(folder: Path) -> str:
    """CoreDNS resolves only names of this cluster, from the API server."""
    return f"""\
.:53 {{
    errors
    ready 127.0.0.1:8181
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {folder}/kubeconfig
    }}
}}
"""


def dns_objects() -> dict[str, dict[str, Any]]:
    """The Service of DNS and its endpoint on the node, by the path to POST them to."""
    ports = [{"name": name, "port": 53, "protocol": name.upper()} for name in ("udp", "tcp")]
    metadata = {"name": "kube-dns", "labels": {"kubernetes.io/service-name": "kube-dns"}}
    return {
        f"/api/v1/namespaces/{SYSTEM}/services": {
            "metadata": metadata,
            "spec": {"clusterIP": DNS, "ports": ports},
        },
        f"/apis/discovery.k8s.io/v1/namespaces/{SYSTEM}/endpointslices": {
            "metadata": metadata,
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE]}],
            "ports": ports,
        },
    }

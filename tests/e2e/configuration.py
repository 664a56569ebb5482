"""Configuration files of the parts of the cluster, in the folder of the run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e import services

API = "https://127.0.0.1:6443"
TOKEN = "administrator"
"""Only for this cluster, which is reachable only from its network namespace."""
PAUSE = "registry.test/pause:1"


def write_files(folder: Path, registry: int) -> None:
    """Writes all files. `registry` is the loopback port that images are pulled from."""
    (folder / "tokens.csv").write_text(f"{TOKEN},administrator,1,system:masters\n")
    subprocess.run(
        ["openssl", "genrsa", "-out", str(folder / "accounts.pem"), "2048"],
        check=True, capture_output=True,
    )  # fmt: skip
    for name, content in _files(folder).items():
        (folder / name).write_text(json.dumps(content))  # JSON is YAML
    (folder / "Corefile").write_text(services.corefile(folder))
    (folder / "cni").mkdir()
    (folder / "cni/net.conflist").write_text(json.dumps(_network(folder)))
    hosts = folder / "registries/_default"
    hosts.mkdir(parents=True)
    (hosts / "hosts.toml").write_text(
        f'server = "http://127.0.0.1:{registry}"\n'
        f'[host."http://127.0.0.1:{registry}"]\n  capabilities = ["pull", "resolve"]\n'
    )
    (folder / "containerd.toml").write_text(_CONTAINERD.replace("FOLDER", str(folder)))


def _files(folder: Path) -> dict[str, Any]:
    name = "cluster"
    return {
        "kubeconfig": {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": name, "cluster": {"server": API, "insecure-skip-tls-verify": True}}
            ],
            "users": [{"name": name, "user": {"token": TOKEN}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        "kube-proxy.yaml": services.proxy_configuration(folder),
        # https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/
        "kubelet.yaml": {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            # Tests also run on machines and in containers that still have cgroup v1.
            "failCgroupV1": False,
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "containerRuntimeEndpoint": f"unix://{folder}/containerd.sock",
            "podLogsDir": f"{folder}/logs",
            "resolvConf": "",
            "clusterDNS": [services.DNS],
            "clusterDomain": services.DOMAIN,
            "maxPods": 250,
            "registryPullQPS": 50,
            "serializeImagePulls": False,
            "imageGCHighThresholdPercent": 100,
            # Else a machine with little free disk space evicts the pods of the tests.
            "evictionHard": {"nodefs.available": "1Mi", "imagefs.available": "1Mi"},
        },
    }


def _network(folder: Path) -> dict[str, Any]:
    addresses = {"type": "host-local", "subnet": "10.88.0.0/16", "dataDir": f"{folder}/addresses"}
    # Pods reach the addresses of Services through the node.
    bridge = {"type": "bridge", "bridge": "e2e0", "isDefaultGateway": True, "ipam": addresses}
    return {
        "cniVersion": "0.4.0",
        "name": "e2e",
        "plugins": [bridge],
    }


_CONTAINERD = f"""\
version = 2
root = "FOLDER/containerd"
state = "FOLDER/run"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "FOLDER/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # Some machines do not let even root lower it.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "FOLDER/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "FOLDER/registries"
"""

"""A Kubernetes cluster of one node in separate namespaces: control plane, kubelet, containerd, DNS.

All of it ends with the first process of the namespaces, also if that is killed.
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from tests.e2e import services
from tests.e2e.build import DNS
from tests.e2e.configuration import API, TOKEN, write_files
from tests.e2e.services import NODE

Process = subprocess.Popen[bytes]
ETCD = "http://127.0.0.1:2379"
UNVERIFIED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The API server listens on loopback, with a self-signed certificate."""
UNVERIFIED.check_hostname, UNVERIFIED.verify_mode = False, ssl.CERT_NONE
PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "ip": "iproute2",
    "iptables-restore": "iptables",
    "openssl": "openssl",
}
"""Programs of the machine that a node needs, and their Debian packages."""
BRIDGED = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
"""Whether iptables rules apply to the bridge of this network namespace; some kernels lack the file.
kube-proxy's rules are for routed traffic: with them on the bridge, no pod reaches itself through a
Service."""
SCRATCH = ("/run", "/var/lib", "/var/log")
"""Folders in which containerd, the kubelet and the network plugins keep state."""


class NotStarted(Exception):
    """A part of the cluster does not start; the message has the end of its log."""


@contextmanager
def start(binaries: Path, folder: Path, registry: int) -> Iterator[Path]:
    """Runs a cluster that pulls images from a registry on a loopback port.

    Yields the administrator's kubeconfig. Raises `NotStarted`.
    """
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # The node's address, from which the API server reads logs: the only interface is lo.
    subprocess.run(["ip", "address", "add", f"{NODE}/32", "dev", "lo"], check=True)
    if BRIDGED.exists():
        BRIDGED.write_text("0")
    for place in SCRATCH:  # only in this mount namespace
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    write_files(folder, registry)
    with ExitStack() as stack:

        def run(program: str, **flags: str) -> Process:
            name = Path(program).name
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            command = [program, *(f"--{k.replace('_', '-')}={v}" for k, v in flags.items())]
            return stack.enter_context(_running(log, command))

        _start_control_plane(run, binaries, folder)
        _start_node(run, binaries, folder)
        yield folder / "kubeconfig"


def _start_control_plane(run: Callable[..., Process], binaries: Path, folder: Path) -> None:
    run(
        f"{binaries}/server",  # etcd
        data_dir=f"{folder}/etcd",
        unsafe_no_fsync="true",
        log_level="error",
        listen_client_urls=ETCD,
        advertise_client_urls=ETCD,
    )
    api = run(
        f"{binaries}/kube-apiserver",
        etcd_servers=ETCD,
        cert_dir=f"{folder}/certificates",
        bind_address="127.0.0.1",
        advertise_address=NODE,
        endpoint_reconciler_type="none",
        kubelet_preferred_address_types="InternalIP",
        token_auth_file=f"{folder}/tokens.csv",
        authorization_mode="RBAC",
        service_account_issuer=API,
        service_account_key_file=f"{folder}/accounts.pem",
        service_account_signing_key_file=f"{folder}/accounts.pem",
        service_cluster_ip_range=services.ADDRESSES,
    )
    _wait("kube-apiserver", api, folder, f"{API}/readyz")
    common = {
        "kubeconfig": f"{folder}/kubeconfig",
        "leader_elect": "false",
        "bind_address": "127.0.0.1",
        "cert_dir": f"{folder}/certificates",
    }
    key = f"{folder}/accounts.pem"
    run(f"{binaries}/kube-controller-manager", service_account_private_key_file=key, **common)
    run(f"{binaries}/kube-scheduler", **common)


def _start_node(run: Callable[..., Process], binaries: Path, folder: Path) -> None:
    containerd = run("containerd", config=f"{folder}/containerd.toml")
    _wait("containerd", containerd, folder, str(folder / "containerd.sock"))
    kubelet = run(
        f"{binaries}/kubelet",
        config=f"{folder}/kubelet.yaml",
        kubeconfig=f"{folder}/kubeconfig",
        root_dir=f"{folder}/kubelet",
        cert_dir=f"{folder}/certificates",
        hostname_override="node",
        node_ip=NODE,
    )
    _wait("kubelet", kubelet, folder, f"{API}/api/v1/nodes/node")
    _start_services(run, binaries, folder)


def _start_services(run: Callable[..., Process], binaries: Path, folder: Path) -> None:
    proxy = run(f"{binaries}/kube-proxy", config=f"{folder}/kube-proxy.yaml")
    dns = run(f"{binaries}/{DNS}", conf=f"{folder}/Corefile")
    for path, thing in services.dns_objects().items():
        _create(path, thing)
    _wait("kube-proxy", proxy, folder, services.PROXY_READY)
    _wait(DNS, dns, folder, services.DNS_READY)


def missing() -> dict[str, str]:
    """The programs that a node needs and this machine lacks, with their packages."""
    return {name: package for name, package in PROGRAMS.items() if not shutil.which(name)}


@contextmanager
def _running(log: IO[bytes], command: list[str]) -> Iterator[Process]:
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(name: str, process: Process, folder: Path, sign: str) -> None:
    """Waits until an address answers or a file exists."""
    deadline = time.time() + 120
    while time.time() < deadline and process.poll() is None:
        if _answers(sign) if sign.startswith("http") else Path(sign).exists():
            return
        time.sleep(0.3)
    end = "\n".join((folder / f"{name}.log").read_text(errors="replace").splitlines()[-20:])
    raise NotStarted(f"{name} does not start:\n{end}")


def _answers(address: str) -> bool:
    try:
        _ask(address)
    except OSError:
        return False
    return True


def _create(path: str, thing: dict[str, Any]) -> None:
    """Creates an object; the API server may still be creating its namespace."""
    deadline = time.time() + 30
    while True:
        try:
            return _ask(f"{API}{path}", json.dumps(thing).encode())
        except urllib.error.HTTPError as refused:
            if refused.code != 404 or time.time() > deadline:
                raise NotStarted(f"{path}: {refused.read().decode()}") from refused
            time.sleep(0.3)


def _ask(address: str, body: bytes | None = None) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(address, body, headers)
    with urllib.request.urlopen(request, timeout=5, context=UNVERIFIED):
        pass

"""Runs the fake cluster alone: `python -m tests.kube_api --kubeconfig FILE`.

Prints its address, and runs until SIGTERM or SIGINT. GET /_test/state and /_test/requests show the
objects and the writing requests; POST /_test/behaviour and /_test/faults add behaviours and faults.
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from tests.kube_api.cluster import LAG, TIME_SCALE, FakeCluster, kubeconfig


def main() -> None:
    """Runs the fake cluster."""
    parser = argparse.ArgumentParser("python -m tests.kube_api", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the file to write")
    parser.add_argument(
        "--host", default="127.0.0.1", help="the host in the kubeconfig, for containers"
    )
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--behaviour", type=Path, help='JSON: {"part of an image": {...}}')
    parser.add_argument("--faults", type=Path, help='JSON: [{"verb": "PATCH", ...}]')
    parser.add_argument("--namespace", action="append", default=[], help="a namespace to create")
    parser.add_argument("--time-scale", type=float, default=TIME_SCALE)
    parser.add_argument("--lag", type=float, default=LAG)
    options = parser.parse_args()
    behaviour = json.loads(options.behaviour.read_text("utf-8")) if options.behaviour else {}
    faults = json.loads(options.faults.read_text("utf-8")) if options.faults else []
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with FakeCluster(
        behaviour=behaviour,
        faults=faults,
        time_scale=options.time_scale,
        lag=options.lag,
        port=options.port,
    ) as cluster:
        for name in options.namespace:
            cluster.namespace(name)
        url = cluster.url.replace("127.0.0.1", options.host)
        options.kubeconfig.write_text(kubeconfig(url), "utf-8")
        print(url, flush=True)
        ended.wait()


if __name__ == "__main__":
    main()

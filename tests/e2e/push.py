"""Pushes images to the registry of a given cluster, such as one beside kind.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from __future__ import annotations

import re
import urllib.request
from urllib.parse import urljoin

LOOPBACK = re.compile(r"(localhost|127\.[\d.]+)(:\d+)?")


class Registry:
    """A registry without a login at `host[:port]`; on loopback by plain HTTP."""

    def __init__(self, host: str) -> None:
        self._base = f"{'http' if LOOPBACK.fullmatch(host) else 'https'}://{host}"

    def push_blob(self, repository: str, digest: str, content: bytes) -> None:
        """Uploads a layer or a config. Raises OSError."""
        begun = self._ask("POST", f"{self._base}/v2/{repository}/blobs/uploads/")
        place = urljoin(self._base, begun)
        mark = "&" if "?" in place else "?"
        kind = "application/octet-stream"
        self._ask("PUT", f"{place}{mark}digest={digest}", content, kind)

    def push_manifest(self, repository: str, reference: str, content: bytes, kind: str) -> None:
        """Uploads an image's manifest, under its digest or a tag. Raises OSError."""
        self._ask("PUT", f"{self._base}/v2/{repository}/manifests/{reference}", content, kind)

    def _ask(self, method: str, address: str, content: bytes = b"", kind: str = "") -> str:
        headers = {"Content-Type": kind} if kind else {}
        request = urllib.request.Request(address, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return str(answer.headers.get("Location", ""))

"""kubectl by subprocess: the only module that starts it.

Calls that the API server could not answer are retried; what it refuses is raised at once.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterable, Iterator
from typing import Any

from ..hosting.outputs import log
from ..names import Variable

Object = dict[str, Any]

ATTEMPTS = 4
"""Maximum number of attempts for a call that the API server could not answer."""
MANAGER = "wfgen"
"""Field manager of everything that is applied."""

_LATER = re.compile(
    r"InternalError|TooManyRequests|ServerTimeout|ServiceUnavailable|Timeout|timeout|"
    r"connection refused|connection reset|EOF|TLS handshake|i/o timeout|too many requests|"
    r"Internal error|currently unable|unexpected error|error on the server"
)


_REMEDIES = {
    r'namespaces "[^"]*" not found': "Namespaces",
    r'User "[^"]*" cannot \w+ resource': "Deployer role",
    r"Unauthorized|must be logged in|getting credentials|connection refused|no such host|"
    r"i/o timeout|no route to host|certificate": "Cluster access",
}
"""Answers of a cluster that is not set up, and the heading of the set-up page that helps."""


class KubectlError(Exception):
    """A call that failed; the text is kubectl's, with the page that helps."""

    def __init__(self, text: str) -> None:
        text = re.sub(r'^E\d{4} .*\] "command failed" err="(.*)"$', r"\1", text)
        headings = [heading for sign, heading in _REMEDIES.items() if re.search(sign, text)]
        hint = f". See docs/delivery-setup.md, {headings[0]}" if headings else ""
        super().__init__(text + hint)

    @property
    def conflict(self) -> bool:
        """Whether somebody else wrote the object meanwhile, or created it first."""
        return "Conflict" in str(self) or "AlreadyExists" in str(self)

    @property
    def no_dry_run(self) -> bool:
        """Whether a webhook refused a request because it was a dry run.

        https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#side-effects
        """
        return "does not support dry run" in str(self)

    @property
    def inconclusive(self) -> bool:
        """Whether the API server did not answer: the call may have had effect or not."""
        return bool(_LATER.search(str(self)))


def pause_seconds() -> float:
    """Seconds before the first retry, doubled for each further one (WFGEN_RETRY_SECONDS, 2)."""
    return float(os.environ.get(Variable.RETRY_SECONDS, "2"))


def run(*arguments: str, text: str = "", attempts: int = ATTEMPTS, timeout: float = 60) -> str:
    """Output of one kubectl call. Raises `KubectlError`; `timeout` is in seconds."""
    pause = pause_seconds()
    for attempt in range(1, attempts + 1):
        try:
            done = subprocess.run(
                ["kubectl", *arguments, f"--request-timeout={min(30, timeout):.3f}s"],
                check=False,
                input=text.encode(),
                capture_output=True,
                timeout=timeout,
            )
            if done.returncode == 0:
                return done.stdout.decode(errors="replace")
            failure = KubectlError(done.stderr.decode(errors="replace").strip() or "kubectl failed")
        except subprocess.TimeoutExpired:
            failure = KubectlError(
                f"timeout: kubectl {arguments[0]} took longer than {timeout:.1f} s"
            )
        except OSError as error:
            raise KubectlError(f"cannot start kubectl: {error}") from error
        if attempt == attempts or not failure.inconclusive:
            raise failure
        log(f"kubectl {arguments[0]}: {failure}; retrying in {pause:.0f} s")
        time.sleep(pause)
        pause *= 2
    raise AssertionError("unreachable")


def get(kind: str, name: str, namespace: str) -> Object | None:
    """One object; None where there is none."""
    text = run("get", kind, name, "-n", namespace, "--ignore-not-found", "-o", "json")
    return json.loads(text) if text.strip() else None


def select(
    kinds: str, namespace: str, selector: str = "", attempts: int = ATTEMPTS
) -> list[Object]:
    """The objects of these kinds (comma-separated) in a namespace."""
    labels = ("-l", selector) if selector else ()
    text = run("get", kinds, "-n", namespace, *labels, "-o", "json", attempts=attempts)
    items: list[Object] = json.loads(text)["items"]
    return items


def live(objects: Iterable[Object], *more: str) -> list[Object]:
    """Those of the objects that exist, as the cluster has them. `more` are options of kubectl."""
    text = _text(objects)
    if not text:
        return []
    return list(parse(run("get", "-f", "-", "--ignore-not-found", "-o", "json", *more, text=text)))


def apply(
    objects: Iterable[Object],
    *,
    dry_run: bool = False,
    manager: str = MANAGER,
    attempts: int = ATTEMPTS,
    timeout: float = 180,
) -> list[Object]:
    """Applies all objects server-side, by one field manager; returns the resulting objects.

    kubectl migrates fields that client-side apply owned before:
    https://kubernetes.io/docs/reference/using-api/server-side-apply/#migration-between-client-side-and-server-side-apply
    """
    text = _text(objects)
    if not text:
        return []
    more = ("--dry-run=server",) if dry_run else ()
    done = run(
        "apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", *more,
        "-o", "json", "-f", "-", text=text, attempts=attempts, timeout=timeout,
    )  # fmt: skip
    return list(parse(done))


def write(manifest: Object) -> Object:
    """Replaces or creates an object and returns the result.

    With a resourceVersion it replaces exactly that version; without one the object must not exist.
    Not retried: the write may have succeeded and only the answer been lost.
    """
    verb = "replace" if manifest["metadata"].get("resourceVersion") else "create"
    text = json.dumps(manifest)
    done = run(verb, "-f", "-", f"--field-manager={MANAGER}", "-o", "json", text=text, attempts=1)
    written: Object = json.loads(done)
    return written


def delete(objects: Iterable[Object], *, attempts: int = ATTEMPTS, timeout: float = 180) -> None:
    """Deletes objects, without waiting for the end of it; missing ones are ignored."""
    text = _text(objects)
    if text:
        options = ("--ignore-not-found", "--wait=false")
        run("delete", "-f", "-", *options, text=text, attempts=attempts, timeout=timeout)


def parse(text: str) -> Iterator[Object]:
    """The objects in kubectl's JSON: one object, a list, or several documents."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        if str(document.get("kind", "")).endswith("List"):
            yield from document["items"]
        else:
            yield document


def key(manifest: Object) -> str:
    """Identifies an object in its namespace: kind/name."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def _text(objects: Iterable[Object]) -> str:
    """Objects as input of kubectl: one JSON document per line."""
    return "\n".join(json.dumps(manifest) for manifest in objects)

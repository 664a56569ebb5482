"""kubectl by subprocess: the only module that starts it.

Answers that say "later" are asked again; what the API server refuses is raised at once.
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

Object = dict[str, Any]

ATTEMPTS = 4
"""So often a call is made whose answer says "later"."""
MANAGER = "wfgen"
"""The one field manager of everything that is applied."""

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
"""What a cluster that is not set up answers, and the heading that says how to set it up."""


class KubectlError(Exception):
    """A call that failed; the text is what kubectl said, and where the remedy stands."""

    def __init__(self, said: str) -> None:
        said = re.sub(r'^E\d{4} .*\] "command failed" err="(.*)"$', r"\1", said)
        headings = [heading for sign, heading in _REMEDIES.items() if re.search(sign, said)]
        hint = f". See docs/delivery-setup.md, {headings[0]}" if headings else ""
        super().__init__(said + hint)

    @property
    def conflict(self) -> bool:
        """Somebody else wrote the object meanwhile, or made it first."""
        return "Conflict" in str(self) or "AlreadyExists" in str(self)

    @property
    def inconclusive(self) -> bool:
        """The API server did not answer properly: nothing is known."""
        return bool(_LATER.search(str(self)))


def pause_seconds() -> float:
    """How long to wait before asking again the first time (WFGEN_RETRY_SECONDS, 2)."""
    return float(os.environ.get("WFGEN_RETRY_SECONDS", "2"))


def run(*arguments: str, text: str = "", attempts: int = ATTEMPTS, timeout: float = 60) -> str:
    """What one kubectl call prints. Raises `KubectlError`; `timeout` is in seconds."""
    pause = pause_seconds()
    for attempt in range(1, attempts + 1):
        try:
            done = subprocess.run(
                ["kubectl", *arguments, "--request-timeout=30s"],
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
                f"timeout: kubectl {arguments[0]} took more than {timeout:.0f} s"
            )
        except OSError as error:
            raise KubectlError(f"kubectl cannot be started: {error}") from error
        if attempt == attempts or not failure.inconclusive:
            raise failure
        log(f"kubectl {arguments[0]}: {failure}; again in {pause:.0f} s")
        time.sleep(pause)
        pause *= 2
    raise AssertionError("unreachable")


def get(kind: str, name: str, namespace: str) -> Object | None:
    """One object, or None where there is none."""
    text = run("get", kind, name, "-n", namespace, "--ignore-not-found", "-o", "json")
    return json.loads(text) if text.strip() else None


def select(
    kinds: str, namespace: str, selector: str = "", attempts: int = ATTEMPTS
) -> list[Object]:
    """The objects of these kinds (comma list) in a namespace."""
    labels = ("-l", selector) if selector else ()
    text = run("get", kinds, "-n", namespace, *labels, "-o", "json", attempts=attempts)
    items: list[Object] = json.loads(text)["items"]
    return items


def live(objects: Iterable[Object], *more: str) -> list[Object]:
    """Those of the objects that the cluster has, as they are there."""
    text = _text(objects)
    if not text:
        return []
    return list(parse(run("get", "-f", "-", "--ignore-not-found", "-o", "json", *more, text=text)))


def apply(
    objects: Iterable[Object], *, dry_run: bool = False, manager: str = MANAGER
) -> list[Object]:
    """Server-side apply of all objects, by one field manager; returns what came of them.

    kubectl itself takes over what client-side apply owned before:
    https://kubernetes.io/docs/reference/using-api/server-side-apply/#migration-between-client-side-and-server-side-apply
    """
    text = _text(objects)
    if not text:
        return []
    more = ("--dry-run=server",) if dry_run else ()
    done = run(
        "apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", *more,
        "-o", "json", "-f", "-", text=text, timeout=180,
    )  # fmt: skip
    return list(parse(done))


def write(thing: Object) -> Object:
    """Writes an object once, and returns it as it is then.

    One with a resourceVersion only over what has that very version; one without must not be there.
    Neither is asked again by itself, as the first answer may have been lost.
    """
    verb = "replace" if thing["metadata"].get("resourceVersion") else "create"
    text = json.dumps(thing)
    done = run(verb, "-f", "-", f"--field-manager={MANAGER}", "-o", "json", text=text, attempts=1)
    written: Object = json.loads(done)
    return written


def delete(objects: Iterable[Object]) -> None:
    """Removes objects; those that are gone already do not matter."""
    text = _text(objects)
    if text:
        run("delete", "-f", "-", "--ignore-not-found", "--wait=false", text=text, timeout=180)


def parse(text: str) -> Iterator[Object]:
    """The objects in kubectl's JSON, be it one, a list, or one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        thing, at = decoder.raw_decode(text, at)
        if str(thing.get("kind", "")).endswith("List"):
            yield from thing["items"]
        else:
            yield thing


def key(thing: Object) -> str:
    """What an object is called in a record: kind/name."""
    return f"{thing['kind']}/{thing['metadata']['name']}"


def _text(objects: Iterable[Object]) -> str:
    """Objects as kubectl reads them: one JSON document after the other."""
    return "\n".join(json.dumps(thing) for thing in objects)

"""Every action of another repository stands as the lock has it: at a commit that cannot move.

A tag or a branch can be moved to other code by whoever owns it, or has stolen it
(https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions), and a
pin that stands in a template is one that no bot bumps. Own templates count like wfgen's.

Write `#{{ pin("owner/name") }}#` after `uses:` in a template, `uses: owner/name` in a patch, and
add the action to the lock by `wfgen pins update owner/name`.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from wfgen.checks.rules._workflow import Broken, Workflow
from wfgen.locks import pins
from wfgen.locks.pins import Pin
from wfgen.text.reader import scalars_of

# Both begin with plain letters, by which `re` finds their places fifty times as fast.
_KEY = re.compile(r"uses['\"]?[ \t]*:")
_LOCAL = r"\$/|\./|docker://"
_LOCAL_KEY = re.compile(rf"uses:[ \t]*['\"]?(?:{_LOCAL})")
_locked = lru_cache(maxsize=1)(pins.read)


def check(workflow: Workflow) -> Iterator[Broken]:
    """Reads lines, and YAML only where something looks wrong: a script may print a `uses:`."""
    if workflow.path == pins.LOCK:
        return
    locked = _locked(workflow.others.get(pins.LOCK, ""))
    found = list(pins.in_text(workflow.text))
    wrong = [pin for pin in found if locked.get(pin.action) != pin]
    local = len(_LOCAL_KEY.findall(workflow.text))
    if not wrong and len(_KEY.findall(workflow.text)) == len(found) + local:
        return
    texts = list(scalars_of(workflow.text))
    used = {value for key, value in pairwise(texts) if key == "uses"}
    for pin in wrong:
        if _reference(pin) in used:
            yield Broken(f"line {pin.line} uses {pin}; {_instead(locked.get(pin.action))}")
    for value in sorted(used - {_reference(pin) for pin in (*found, *locked.values())}):
        if not re.match(_LOCAL, value):
            yield Broken(f"uses {value}; {_instead(locked.get(value.partition('@')[0]))}")


def _reference(pin: Pin) -> str:
    return f"{pin.action}@{pin.ref}"


def _instead(pin: Pin | None) -> str:
    return f"the lock has {pin.short}" if pin else "the lock does not have it"

"""Every action of another repository is used at the commit that the lock names.

Whoever owns a tag or a branch, or has stolen it, can move it to other code
(https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions), and no
bot updates a pin in a template. This holds for your own templates as well.

Write `#{{ pin("owner/name") }}#` after `uses:` in a template, `uses: owner/name` in a patch, and
add the action to the lock with `wfgen pins update owner/name`.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from wfgen.checks.rules._workflow import Violation, WorkflowText
from wfgen.locks import pins
from wfgen.locks.pins import Pin
from wfgen.release_program import names
from wfgen.text.reader import scalars_of

# Both begin with plain letters: `re` then searches fifty times as fast.
_KEY = re.compile(r"uses['\"]?[ \t]*:")
_LOCAL = "|".join(map(re.escape, (*names.LOCAL, "docker://")))
_LOCAL_KEY = re.compile(rf"uses:[ \t]*['\"]?(?:{_LOCAL})")
_locked = lru_cache(maxsize=1)(pins.read)


def check(workflow: WorkflowText) -> Iterator[Violation]:
    """Reads lines, and parses YAML only on a mismatch: a script may print a `uses:`."""
    if workflow.path == pins.LOCK:
        return
    locked = _locked(workflow.others.get(pins.LOCK, ""))
    used_pins = list(pins.in_text(workflow.text))
    wrong = [pin for pin in used_pins if locked.get(pin.action) != pin]
    local = len(_LOCAL_KEY.findall(workflow.text))
    if not wrong and len(_KEY.findall(workflow.text)) == len(used_pins) + local:
        return
    texts = list(scalars_of(workflow.text))
    used = {value for key, value in pairwise(texts) if key == "uses"}
    for pin in wrong:
        if _reference(pin) in used:
            yield Violation(f"line {pin.line} uses {pin}; {_instead(locked.get(pin.action))}")
    for value in sorted(used - {_reference(pin) for pin in (*used_pins, *locked.values())}):
        if not re.match(_LOCAL, value):
            yield Violation(f"uses {value}; {_instead(locked.get(value.partition('@')[0]))}")


def _reference(pin: Pin) -> str:
    return f"{pin.action}@{pin.ref}"


def _instead(pin: Pin | None) -> str:
    return f"the lock has {pin.short}" if pin else "the lock has no entry for it"

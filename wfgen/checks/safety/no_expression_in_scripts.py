"""A script has no `${{ }}`: values reach it by `env`.

An expression becomes part of the script's text before the shell reads it: a secret then stands in
a file on the runner and in what the shell prints, and the title of a pull request can be a command
(https://docs.github.com/en/actions/reference/security/secure-use#use-an-intermediate-environment-variable).

Give the value to the step by `env`, and write "$NAME" in the script.
"""

import re
from collections.abc import Iterator

from wfgen.checks.safety._checked import Checked, mapping

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def check(checked: Checked) -> Iterator[str]:
    """Looks at `run`, and at what actions/github-script and its like take for one."""
    for where, step in checked.steps:
        name = step.get("name", step.get("id", "without a name"))
        for script in (step.get("run"), mapping(step.get("with")).get("script")):
            for found in _EXPRESSION.findall(str(script or "")):
                yield f"step {name} of {where} has the expression {found} in its script"

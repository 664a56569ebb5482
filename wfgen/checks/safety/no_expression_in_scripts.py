"""A script contains no `${{ }}`: values reach it through `env`.

An expression becomes part of the script's text before the shell reads it: a secret is then in a
file on the runner and in the shell's output, and the title of a pull request can be a command
(https://docs.github.com/en/actions/reference/security/secure-use#use-an-intermediate-environment-variable).

Pass the value to the step through `env`, and write "$NAME" in the script.
"""

import re
from collections.abc import Iterator

from wfgen.checks.safety._patched import PatchedFile, mapping

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)


def check(file: PatchedFile) -> Iterator[str]:
    """Checks `run`, and the input `script` of actions such as actions/github-script."""
    for where, step in file.steps:
        name = step.get("name", step.get("id", "without a name"))
        for script in (step.get("run"), mapping(step.get("with")).get("script")):
            for expression in _EXPRESSION.findall(str(script or "")):
                yield f"step {name} of {where} has the expression {expression} in its script"

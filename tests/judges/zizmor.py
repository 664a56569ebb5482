"""zizmor finds what is or may be unsafe (with its auditor persona, which reports more)."""

from __future__ import annotations

import json
from typing import Any

from tests.judges.findings import Finding, Sample
from tests.judges.tools import find_program, run

# 11 to 14: findings, by severity. https://docs.zizmor.sh/usage/#exit-codes
_EXIT_CODES = (0, 11, 12, 13, 14)


def audit(sample: Sample, *, ignores: bool = True) -> list[Finding]:
    """Findings of all offline audits in well-formed files; zizmor refuses others.

    Args:
        ignores: honour `# zizmor: ignore[...]` comments; configuration files are never read.
    """
    command = [find_program("zizmor"), "--offline", "--no-progress", "--no-config"]
    command += ["--persona", "auditor", "--strict-collection", "--format", "json-v1"]
    command += [] if ignores else ["--no-ignores"]
    output = run([*command, *sample.files], cwd=sample.root, accept=_EXIT_CODES)
    return [_finding(result) for result in json.loads(output)]


def _finding(result: dict[str, Any]) -> Finding:
    locations = result["locations"]
    primary = [at for at in locations if at["symbolic"]["kind"] == "Primary"]
    at = (primary or locations)[0]
    start = at["concrete"]["location"]["start_point"]
    file = at["symbolic"]["key"]["Local"]["verbatim_path"]
    message = f"{result['desc']}: {at['symbolic']['annotation']}"
    return Finding(
        file, start["row"] + 1, start["column"] + 1, "zizmor", str(result["ident"]), message
    )

"""Whether patches keep the generated files safe, and which rules they waive.

A patch causes what is broken with it and is not without it; what only several patches break
together, all of them cause. A rule is waived in the spec, in the patch; the generated file shows
the reason above what is patched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from wfgen.checks.safety import CHECKS, REMEDIES, WAIVABLE, PatchedFile, PatchViolation
from wfgen.findings import Diagnostic, did_you_mean
from wfgen.generate.patches import Patches
from wfgen.generate.render import RenderedFile, locked_actions
from wfgen.specs.references import Project


def check(project: Project, files: tuple[RenderedFile, ...]) -> list[Diagnostic]:
    """What patches break and do not waive, and waivers without effect; each at its patch."""
    if not project.spec.patches:
        return []
    patches = Patches(project, locked_actions(project.root))
    before = {file.path: file.unpatched or file.text for file in files}
    after = {file.path: file.text for file in files}
    findings: list[Diagnostic] = []
    used: set[tuple[str, str]] = set()
    for file in files:
        if file.unpatched:
            for cause in _causes(patches, file, before, after):
                rule = cause.violation.rule
                waived = {(name, rule) for name in cause.patches} & _waivers(patches)
                if rule in WAIVABLE and waived:
                    used |= waived
                else:
                    findings.append(_diagnostic(patches, file.path, cause))
    return sorted([*findings, *_idle(patches, used)])


@dataclass(frozen=True, slots=True)
class _Cause:
    """A violation, and the names of the patches that cause it."""

    violation: PatchViolation
    patches: tuple[str, ...]


def _causes(
    patches: Patches, file: RenderedFile, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[_Cause]:
    """The violations in a file with all of its patches that it does not have without them."""

    def violations(text: str, others: Mapping[str, str]) -> list[PatchViolation]:
        patched = PatchedFile(file.path, text, others, patches.platform)
        try:
            return [violation for check in CHECKS for violation in check(patched)]
        except yaml.YAMLError as error:  # a plain text of a template that the patch broke in two
            return [PatchViolation("patch-target", f"not YAML: {' '.join(str(error).split())}")]

    names = tuple(patches.by_file[file.path])
    # Against the other files with their patches too: what those patches cause is reported there.
    known = {*violations(file.unpatched, before), *violations(file.unpatched, after)}
    new = [broken for broken in dict.fromkeys(violations(file.text, after)) if broken not in known]
    alone: dict[str, set[PatchViolation]] = {}
    if new and len(names) > 1:
        for name in names:
            text = patches.apply(file.path, file.unpatched, [name])[0].text
            alone[name] = set(violations(text, after))
    for violation in new:
        authors = tuple(name for name in names if violation in alone.get(name, ()))
        yield _Cause(violation, authors or names)


def _waivers(patches: Patches) -> set[tuple[str, str]]:
    return {(name, rule) for name, patch in patches.all.items() for rule in patch.waive}


def _diagnostic(patches: Patches, path: str, cause: _Cause) -> Diagnostic:
    first, *more = cause.patches
    rule = cause.violation.rule
    together = f", together with {' and '.join(more)}" if more else ""
    hint = REMEDIES.get(rule, "")
    if rule in WAIVABLE:
        hint += f" To allow it, give a reason: `waive: {{{rule}: <reason>}}`."
    message = f"with patch {first}{together}, {path}: {cause.violation.message}"
    return patches.at((first,), message, rule, hint)


def _idle(patches: Patches, used: set[tuple[str, str]]) -> Iterator[Diagnostic]:
    """Findings for waivers of rules that are not broken, cannot be waived or do not exist."""
    for name, rule in sorted(_waivers(patches) - used):
        route = (name, "waive", rule)
        if rule in WAIVABLE:
            message, hint = f"patch {name} does not break {rule}", "remove the waiver"
            yield patches.at(route, message, "idle-waiver", hint)
        elif rule in REMEDIES:
            message = f"{rule} cannot be waived: GitHub starts no run of such a workflow"
            yield patches.at(route, message, "idle-waiver", "correct the patch")
        else:
            hint = did_you_mean(rule, WAIVABLE)
            yield patches.at(route, f"unknown safety rule `{rule}`", "unknown-rule", hint)

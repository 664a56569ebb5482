"""Whether patches keep the generated files safe, and which rules they waive.

A patch answers for what is broken with it and would not be without it; what only several break
together, all of them answer for. Waived rules are recorded where the patch is, in the spec; the
generated file shows them, as `patches` writes them above what is patched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from wfgen.checks.safety import CHECKS, REMEDIES, WAIVABLE, Broken, Checked
from wfgen.findings import Diagnostic, did_you_mean
from wfgen.generate.patches import Patches
from wfgen.generate.render import RenderedFile, locked_actions
from wfgen.specs.references import Project


def check(project: Project, files: tuple[RenderedFile, ...]) -> list[Diagnostic]:
    """What patches break and do not waive, and waivers that say nothing; each at its patch."""
    if not project.spec.patches:
        return []
    patches = Patches(project, locked_actions(project.root))
    before = {file.path: file.unpatched or file.text for file in files}
    after = {file.path: file.text for file in files}
    found: list[Diagnostic] = []
    used: set[tuple[str, str]] = set()
    for file in files:
        if file.unpatched:
            for blame in _blames(patches, file, before, after):
                rule = blame.broken.rule
                waived = {(name, rule) for name in blame.names} & _waivers(patches)
                if rule in WAIVABLE and waived:
                    used |= waived
                else:
                    found.append(_diagnostic(patches, file.path, blame))
    return sorted([*found, *_idle(patches, used)])


@dataclass(frozen=True, slots=True)
class _Blame:
    """Something that is broken, and the patches that break it."""

    broken: Broken
    names: tuple[str, ...]


def _blames(
    patches: Patches, file: RenderedFile, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[_Blame]:
    """What is broken in a file with all of its patches, and was not without."""

    def broken(text: str, others: Mapping[str, str]) -> list[Broken]:
        checked = Checked(file.path, text, others)
        try:
            return [each for ask in CHECKS for each in ask(checked)]
        except yaml.YAMLError as error:  # a plain text of a template that the patch broke in two
            return [Broken("patch-target", f"no YAML: {' '.join(str(error).split())}")]

    names = tuple(patches.by_file[file.path])
    # With others' patches too: what those break by themselves, they answer for.
    known = {*broken(file.unpatched, before), *broken(file.unpatched, after)}
    new = [each for each in dict.fromkeys(broken(file.text, after)) if each not in known]
    alone: dict[str, set[Broken]] = {}
    if new and len(names) > 1:
        for name in names:
            text = patches.apply(file.path, file.unpatched, [name])[0].text
            alone[name] = set(broken(text, after))
    for each in new:
        authors = tuple(name for name in names if each in alone.get(name, ()))
        yield _Blame(each, authors or names)


def _waivers(patches: Patches) -> set[tuple[str, str]]:
    return {(name, rule) for name, patch in patches.all.items() for rule in patch.waive}


def _diagnostic(patches: Patches, path: str, blame: _Blame) -> Diagnostic:
    first, *more = blame.names
    rule = blame.broken.rule
    together = f", together with {' and '.join(more)}" if more else ""
    hint = REMEDIES.get(rule, "")
    if rule in WAIVABLE:
        hint += f" Or say why it may be so: waive: {{{rule}: REASON}}"
    message = f"with patch {first}{together}, {path}: {blame.broken.message}"
    return patches.at((first,), message, rule, hint)


def _idle(patches: Patches, used: set[tuple[str, str]]) -> Iterator[Diagnostic]:
    """Waivers of what is not broken, or cannot be waived."""
    for name, rule in sorted(_waivers(patches) - used):
        route = (name, "waive", rule)
        if rule in WAIVABLE:
            message, hint = f"patch {name} does not break {rule}", "remove the waiver"
            yield patches.at(route, message, "idle-waiver", hint)
        elif rule in REMEDIES:
            message = f"{rule} cannot be waived: GitHub starts no run of such a workflow"
            yield patches.at(route, message, "idle-waiver", "mend the patch")
        else:
            hint = did_you_mean(rule, WAIVABLE)
            yield patches.at(route, f"{rule} is no safety rule", "unknown-rule", hint)

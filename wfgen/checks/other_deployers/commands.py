"""What a step deploys with kubectl, kustomize, Helm, or an action that runs one of them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from wfgen.actions.workflow import Step
from wfgen.checks.other_deployers.targets import Targets
from wfgen.checks.other_deployers.texts import UNKNOWN, Command, Texts

_CHANGES = {
    "apply", "create", "replace", "patch", "set", "scale", "delete", "edit", "autoscale", "run",
}  # fmt: skip
_ROLLOUTS = {"restart", "undo", "pause", "resume"}
_HELM = {"upgrade", "install", "uninstall", "delete", "rollback"}
_APPLIES = {"apply", "create", "replace"}
_WITH_VALUE = {
    "-n", "--namespace", "-f", "--filename", "-k", "--kustomize", "--context", "--kubeconfig",
    "-l", "--selector", "-o", "--output", "--set", "--values", "--version", "--timeout",
    "--field-manager", "-p", "--type", "--replicas", "--set-string",
}  # fmt: skip
"""Flags whose value is the next word."""


def deployed_by(step: Step, texts: Texts, targets: Targets) -> Iterator[str]:
    """What of the specs a step deploys, in words."""
    yield from _of_action(step, texts, targets)
    folder = ""
    for pipeline in texts.pipelines(_script(step)):
        for program, *words in pipeline:
            if program == "cd" and words:
                folder = posixpath.join(folder, words[0])
        for command in pipeline:
            deployed = _of_command(command, pipeline, folder, targets)
            if deployed:
                yield deployed


def _script(step: Step) -> str:
    """The step's script, or the arguments that an action gives to kubectl or Helm."""
    action = step.uses.partition("@")[0].lower()
    given = [str(step.inputs[name]) for name in ("args", "command", "cmd") if name in step.inputs]
    lines = "\n".join(given)
    for program in ("kubectl", "helm"):
        if program in action and lines:
            return lines if lines.startswith(program) else f"{program} {lines}"
    return step.run


def _of_action(step: Step, texts: Texts, targets: Targets) -> Iterator[str]:
    if step.uses.partition("@")[0].lower() != "azure/k8s-deploy":
        return
    inputs = {name: texts.fill(str(value)) for name, value in step.inputs.items()}
    if environment := targets.environment(inputs.get("namespace", "")):
        yield _namespace(inputs["namespace"], environment)
    for path in inputs.get("manifests", "").split():
        if what := targets.folder(posixpath.normpath(path)):
            yield what


def _of_command(command: Command, pipeline: list[Command], folder: str, targets: Targets) -> str:
    """What a command deploys; "" for nothing of the specs."""
    program, *words = command
    flags, plain = _parse(words)
    dry = flags.get("--dry-run")
    if dry is not None and dry != ["none"]:
        return ""
    if program == "kubectl" and _changes(plain):
        return _of_kubectl(flags, plain, pipeline, folder, targets)
    if program == "helm" and set(plain[:1]) & _HELM:
        return _of_helm(flags, plain, words, targets)
    return ""


def _changes(plain: list[str]) -> bool:
    """Whether arguments of kubectl change something in the cluster."""
    verb = plain[0] if plain else ""
    return verb in _CHANGES or (verb == "rollout" and plain[1:2] != [] and plain[1] in _ROLLOUTS)


def _of_kubectl(
    flags: dict[str, list[str]],
    plain: list[str],
    pipeline: list[Command],
    folder: str,
    targets: Targets,
) -> str:
    namespaces = [*flags.get("-n", []), *flags.get("--namespace", [])]
    environment = targets.environment(namespaces[-1]) if namespaces else ""
    elsewhere = namespaces and not environment and UNKNOWN not in namespaces[-1]
    if not elsewhere and (workload := targets.workload(plain[1:])):
        return workload
    paths = [p for flag in ("-f", "--filename", "-k", "--kustomize") for p in flags.get(flag, [])]
    if "-" in paths and plain[0] in _APPLIES:  # what another command renders
        others = [words for words in pipeline if words[:1] != ["kubectl"] or "kustomize" in words]
        paths += [word for words in others for word in words[1:]]
    for path in paths:
        if what := targets.folder(posixpath.normpath(posixpath.join(folder, path))):
            return what
    return _namespace(namespaces[-1], environment) if environment else ""


def _of_helm(
    flags: dict[str, list[str]], plain: list[str], words: list[str], targets: Targets
) -> str:
    namespaces = [*flags.get("-n", []), *flags.get("--namespace", [])]
    for word in words:
        if repository := targets.repository(word.rpartition("=")[2]):
            return f"image `{repository}` of `{targets.repositories[repository]}`"
    if namespaces:
        environment = targets.environment(namespaces[-1])
        return _namespace(namespaces[-1], environment) if environment else ""
    named = [name for name in plain[1:2] if name in targets.names]
    return f"Helm release `{named[0]}`, named as a service or the project" if named else ""


def _namespace(namespace: str, environment: str) -> str:
    shown = namespace.replace(UNKNOWN, "<number>")
    return f"to namespace `{shown}` of environment `{environment}`"


def _parse(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """The values of flags, and all other words."""
    flags: dict[str, list[str]] = {}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            plain.append(word)
        elif equals:
            flags.setdefault(name, []).append(value)
        else:
            flags.setdefault(name, []).append(next(rest, "") if name in _WITH_VALUE else "")
    return flags, plain

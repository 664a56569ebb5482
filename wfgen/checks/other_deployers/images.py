"""Images that a step pushes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wfgen.actions.workflow import Job, Step
from wfgen.checks.other_deployers.targets import Targets
from wfgen.checks.other_deployers.texts import Command, Texts

_STEP_OUTPUT = re.compile(r"\$\{\{\s*steps\.([\w-]+)\.outputs\.(?:tags|json)\s*\}\}")
_PUSHED = re.compile(r"type=registry|push=true")
_ENGINES = {"docker", "podman", "buildah", "nerdctl", "img", "finch"}
_COPIERS = {"skopeo": {"copy", "sync"}, "crane": {"push", "copy", "cp", "tag"},
            "regctl": {"copy"}, "oras": {"push", "copy", "cp"}}  # fmt: skip


def pushed_by(job: Job, step: Step, texts: Texts, targets: Targets) -> Iterator[str]:
    """The repositories of specs that a step pushes to."""
    for word in _words(job, step, texts):
        if repository := targets.repository(word):
            yield repository


def _words(job: Job, step: Step, texts: Texts) -> Iterator[str]:
    """What may be the names of pushed images."""
    action = step.uses.partition("@")[0].lower()
    inputs = {name: str(value) for name, value in step.inputs.items()}
    if action == "docker/build-push-action" and _pushes(inputs):
        tags = f"{inputs.get('tags', '')},{inputs.get('outputs', '')}"
        yield from _split(texts.fill(_with_images(job, tags)))
    elif action == "redhat-actions/push-to-registry":
        yield texts.fill(f"{inputs.get('registry', '')}/{inputs.get('image', '')}")
    for pipeline in texts.pipelines(step.run):
        for command in pipeline:
            if _is_push(command):
                yield from (part for word in command for part in (word, word.partition("=")[2]))


def _pushes(inputs: dict[str, str]) -> bool:
    """Whether docker/build-push-action pushes, at least in some runs."""
    pushed = inputs.get("push", "false").lower()
    return pushed not in ("false", "") or bool(_PUSHED.search(inputs.get("outputs", "")))


def _with_images(job: Job, text: str) -> str:
    """A text with the images of docker/metadata-action in place of its output."""

    def images(match: re.Match[str]) -> str:
        steps = [step for step in job.steps if step.id == match[1]]
        return ",".join(str(step.inputs.get("images", "")) for step in steps)

    return _STEP_OUTPUT.sub(images, text)


def _split(text: str) -> list[str]:
    return [part.removeprefix("name=") for part in re.split(r"[\s,]+", text) if part]


def _is_push(command: Command) -> bool:
    """Whether a command pushes an image."""
    program, *words = command
    if program in _COPIERS:
        return bool(_COPIERS[program] & set(words))
    if program not in _ENGINES:
        return False
    plain = [word for word in words if not word.startswith("-")]
    if plain[:1] == ["push"] or plain[:2] in (["image", "push"], ["manifest", "push"]):
        return True
    outputs = any(_PUSHED.search(word) for word in words)
    return "build" in plain and ("--push" in words or "--push=true" in words or outputs)

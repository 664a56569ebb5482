"""`wfgen new`: the first spec of a service, its kustomize base, and its place in the overlays."""

from __future__ import annotations

from pathlib import Path

from wfgen.diagnostics import did_you_mean
from wfgen.errors import WfgenError
from wfgen.kinds import KINDS, kind_name
from wfgen.source import with_item
from wfgen.templating import Templates


def scaffold(root: Path, name: str, kind: str) -> list[str]:
    """Writes what a new service needs and does not have; returns the paths.

    Raises `WfgenError` where the service exists, or the name or kind cannot be.
    """
    kinds = {kind_name(each): each for each in KINDS}
    if kind not in kinds:
        raise WfgenError(f"--kind {kind}: no such kind; {did_you_mean(kind, kinds)}")
    if kinds[kind].refused:
        raise WfgenError(f"--kind {kind}: {kinds[kind].refused}")
    _check_name(name)
    templates = Templates(root, {}, self_repository=True)
    wanted: dict[str, str] = {}
    base = f"kube/bases/{name}"
    files = templates.names(f"kinds/{kind}/")
    for template in files:
        path = template.removeprefix(f"kinds/{kind}/")
        if path == "spec.yaml" and not (root / "specs" / f"{name}.yaml").exists():
            wanted[f"specs/{name}.yaml"] = templates.render(template, {"name": name})
        elif path.startswith("kube/") and not (root / base).exists():
            wanted[f"{base}/{path.removeprefix('kube/')}"] = templates.render(
                template, {"name": name}
            )
        elif path.startswith("app/") and not (root / "app" / name).exists():
            wanted[f"app/{name}/{path.removeprefix('app/')}"] = templates.render(
                template, {"name": name}
            )
    for overlay in sorted((root / "kube/overlays").glob("*/kustomization.yaml")):
        text = overlay.read_text("utf-8")
        if (changed := with_item(text, "resources", f"../../bases/{name}")) != text:
            wanted[overlay.relative_to(root).as_posix()] = changed
    if not wanted:
        raise WfgenError(
            f"{name} has its spec, its manifests and its place in the overlays already"
        )
    for path, text in wanted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return sorted(wanted)


def _check_name(name: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from wfgen.kinds._model import Name

    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise WfgenError(error.errors()[0]["msg"]) from error

"""The repository at hand: its specs, and the files that they make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wfgen import __version__
from wfgen.checks.rules import verify
from wfgen.checks.static import check_rendered
from wfgen.errors import InvalidSpecs, WfgenError
from wfgen.findings import did_you_mean
from wfgen.generate.plan import plan
from wfgen.generate.render import RenderedFile, render
from wfgen.specs import loading as spec
from wfgen.specs.kustomize import Overlays
from wfgen.specs.references import Project


@dataclass(frozen=True)
class Repository:
    """Specs that are sound. `notes` say what a reader should know and need not mend."""

    project: Project
    notes: tuple[str, ...]

    @property
    def root(self) -> Path:
        return self.project.root

    def files(self) -> tuple[RenderedFile, ...]:
        """Every file as the specs make it.

        Raises `InvalidSpecs` where GitHub would not take it, or it would be unsafe.
        """
        files = render(plan(self.project))
        if self.project.spec.patches:
            from wfgen.checks import waivers  # only here, as most projects have no patches

            if unsafe := waivers.check(self.project, files):
                raise InvalidSpecs(unsafe)
        if broken := verify(files):
            raise InvalidSpecs(broken)
        waives = any(patch.waive for patch in self.project.spec.patches.values())
        # Whoever waives a rule answers for it; `wfgen verify` still tells.
        if not waives and (unsafe := check_rendered(files)):
            raise InvalidSpecs(unsafe)
        return files


def load(root: Path, overlays: Overlays) -> Repository:
    """Reads the specs and looks at the overlays; raises `InvalidSpecs` with all mistakes found."""
    project = spec.load(root, overlays)
    notes = []
    if overlays.command is None:
        notes.append("kubectl and kustomize not found; manifest checks skipped")
    if project.spec.wfgen != __version__:
        notes.append(
            f"specs/project.yaml names wfgen {project.spec.wfgen}, this is {__version__}; "
            "the files may differ for that alone"
        )
    above = next((each for each in (root, *root.parents) if (each / ".git").exists()), root)
    if above != root:
        notes.append(
            f"{root.relative_to(above)} is a project within another repository; GitHub reads "
            f"workflows from that one's own .github/ alone"
        )
    return Repository(project, tuple(notes))


def named(files: tuple[RenderedFile, ...], names: list[str]) -> tuple[RenderedFile, ...]:
    """The files of these paths, or names with or without their ending (`production`).

    Raises `WfgenError` for a name that none has.
    """
    by_name: dict[str, set[str]] = {}
    for file in files:
        for name in (file.path, Path(file.path).name, Path(file.path).stem):
            by_name.setdefault(name, set()).add(file.path)
    for name in names:
        if name not in by_name:
            hint = did_you_mean(name, by_name, "they are listed by: wfgen list")
            raise WfgenError(f"--only {name}: no such file; {hint}")
    wanted = set().union(*(by_name[name] for name in names))
    return tuple(file for file in files if file.path in wanted)

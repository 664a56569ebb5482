"""A repository: its specs, and the files that they generate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wfgen import __version__
from wfgen.checks.rules import verify
from wfgen.checks.static import check_rendered
from wfgen.errors import InvalidSpecs
from wfgen.generate.plan import plan
from wfgen.generate.render import RenderedFile, render
from wfgen.specs import loading
from wfgen.specs.kustomize import Overlays
from wfgen.specs.references import Project


@dataclass(frozen=True)
class Repository:
    """Valid specs, and notes: what the user should know, without failing a check."""

    project: Project
    notes: tuple[str, ...]

    @property
    def root(self) -> Path:
        return self.project.root

    def files(self) -> tuple[RenderedFile, ...]:
        """Every generated file.

        Raises `InvalidSpecs` where GitHub would refuse it, or where it would be unsafe.
        """
        files = render(plan(self.project))
        if self.project.spec.patches:
            from wfgen.checks import waivers  # slow to import, and few projects have patches

            if unsafe := waivers.check(self.project, files):
                raise InvalidSpecs(unsafe)
        if broken := verify(files):
            raise InvalidSpecs(broken)
        waives = any(patch.waive for patch in self.project.spec.patches.values())
        # After a waiver, only `wfgen verify` reports what it breaks.
        if not waives and (unsafe := check_rendered(files)):
            raise InvalidSpecs(unsafe)
        return files


def load(root: Path, overlays: Overlays) -> Repository:
    """Reads the specs and checks the overlays; raises `InvalidSpecs` with all findings."""
    project = loading.load(root, overlays)
    notes = []
    if overlays.command is None:
        notes.append("kubectl and kustomize not found; manifest checks skipped")
    if project.spec.wfgen != __version__:
        notes.append(
            f"specs/project.yaml requires wfgen {project.spec.wfgen}, but this is wfgen "
            f"{__version__}; install {project.spec.wfgen}, or change `wfgen` in the spec"
        )
    repository = next((path for path in (root, *root.parents) if (path / ".git").exists()), root)
    if repository != root:
        notes.append(
            f"{root.relative_to(repository)} is a folder of another repository; GitHub only runs "
            "workflows in the .github folder of that repository's root"
        )
    return Repository(project, tuple(notes))

"""A repository: its specs, and the files that they generate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wfgen import __version__
from wfgen.cli import remembered
from wfgen.cli.console import printed
from wfgen.errors import InvalidSpecs
from wfgen.findings import Diagnostic
from wfgen.generate.plan import plan
from wfgen.generate.render import RenderedFile, render
from wfgen.release_program import names
from wfgen.remembered import Snapshot
from wfgen.specs import loading
from wfgen.specs.kustomize import Overlays
from wfgen.specs.references import Project, paths_of
from wfgen.worktree import ownership


@dataclass(frozen=True)
class Repository:
    """Valid specs, and notes: what the user should know, without failing a check."""

    project: Project
    notes: tuple[str, ...]
    snapshot: Snapshot | None = None
    """What the files depended on at the start; None to remember nothing."""
    folders: set[str] | None = None
    """What kustomize read, as parts of a snapshot; None if that is not known."""

    @property
    def root(self) -> Path:
        return self.project.root

    def remember(self) -> None:
        """Remembers what this process printed, as the output of a clean run."""
        remembered.keep(printed, self.folders, paths_of(self.project))

    def warnings(self) -> list[Diagnostic]:
        """What other workflows of the repository do to what the specs describe."""
        paths = list(ownership.foreign(self.root, names.WORKFLOWS))
        if not paths:
            return []
        from wfgen.checks import other_deployers  # slow to import

        return other_deployers.find(plan(self.project), paths)

    def files(self) -> tuple[RenderedFile, ...]:
        """Every generated file.

        Raises `InvalidSpecs` where GitHub would refuse it, or where it would be unsafe.
        """
        files = render(plan(self.project))
        if self.project.spec.patches:
            from wfgen.checks import waivers  # slow to import, and few projects have patches

            if unsafe := waivers.check(self.project, files):
                raise InvalidSpecs(unsafe)
        waives = any(patch.waive for patch in self.project.spec.patches.values())
        platform: str = self.project.spec.platform
        texts = [(waives, "platform", platform)]
        texts += [(waives, file.path, file.text) for file in files]
        if not remembered.is_sound(self.snapshot, texts):
            _check(files, platform, waives=waives)
            remembered.keep_sound(self.snapshot, texts)
        return files


def _check(files: tuple[RenderedFile, ...], platform: str, *, waives: bool) -> None:
    """Raises `InvalidSpecs` for files that break a limit of GitHub or a safety property."""
    # Slow to import, and not needed for texts that were checked before.
    from wfgen.checks.rules import verify
    from wfgen.checks.static import check_rendered

    if broken := verify(files, platform):
        raise InvalidSpecs(broken)
    # After a waiver, only `wfgen verify` reports what it breaks.
    if not waives and (unsafe := check_rendered(files)):
        raise InvalidSpecs(unsafe)


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
    return Repository(project, tuple(notes), overlays.snapshot, overlays.folders)

"""What workflow files alone show against the safety properties, whatever happens in a run.

`wfgen render` and `wfgen check` ask this before they write or compare; `wfgen.checks.proof` tries
every run as well, and only `wfgen verify` imports it: the simulator takes 15 ms to import.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wfgen.actions.reading import Read
from wfgen.actions.workflow import WorkflowError
from wfgen.checks.properties import PROPERTIES, Breach
from wfgen.checks.scenarios.pipeline import Pipeline, read_pipeline
from wfgen.errors import WfgenError
from wfgen.findings import Diagnostic, Position
from wfgen.generate.render import RenderedFile
from wfgen.locks.pins import LOCK
from wfgen.release_program import names


@dataclass(frozen=True, order=True)
class Counterexample:
    """A property that does not hold."""

    property: str
    file: str
    message: str
    command: str = ""
    """The command that shows the run; "" where the file alone shows it."""
    line: int = 1

    def diagnostic(self) -> Diagnostic:
        """The finding that is reported, with the command or the remedy as its hint."""
        broken = next(known for known in PROPERTIES if known.name == self.property)
        hint = f"to see it, run `{self.command}`" if self.command else broken.remedy
        return Diagnostic(Position(self.file, self.line), self.message, self.property, hint)


def check_files(pipelines: tuple[Pipeline, ...]) -> list[Counterexample]:
    """What breaks a property in these workflows, sorted."""
    return sorted(
        {
            _counterexample(broken.name, breach)
            for broken in PROPERTIES
            if broken.check_files
            for breach in broken.check_files(pipelines)
        }
    )


def check_rendered(files: Iterable[RenderedFile]) -> list[Diagnostic]:
    """The same for rendered files that are not written yet.

    Pins are left out: a difference from the lock is drift, which has its own remedies.
    """
    texts = {file.path: file.text for file in files if file.path != LOCK}
    paths = [path for path in texts if path.startswith(f"{names.WORKFLOWS}/")]
    counterexamples = check_files(read_all(paths, texts.__getitem__))
    return [
        counterexample.diagnostic()
        for counterexample in counterexamples
        if counterexample.property != "credentials-need-pinned-actions"
    ]


def read_all(paths: Iterable[str], read: Read) -> tuple[Pipeline, ...]:
    """The pipelines among these workflow files: those that an event can start."""
    pipelines = []
    for path in paths:
        try:
            pipeline = read_pipeline(path, read)
        except WorkflowError as error:
            raise WfgenError(str(error)) from error
        if set(pipeline.workflow.triggers) - {"workflow_call"}:
            pipelines.append(pipeline)
    return tuple(pipelines)


def _counterexample(name: str, breach: Breach) -> Counterexample:
    line = breach.place.job.line if breach.place else 1
    return Counterexample(name, breach.file, breach.message, "", line)

"""Opens the workflow that a command line names."""

from __future__ import annotations

from pathlib import Path

from wfgen.actions import WorkflowError, folder_reader
from wfgen.checks.scenarios.pipeline import Pipeline, read_pipeline
from wfgen.errors import WfgenError
from wfgen.findings import did_you_mean
from wfgen.release_program import names


def open_workflow(root: Path, name: str) -> Pipeline:
    """The workflow of a name, or of a path from the root or from the current folder.

    Raises `WfgenError` where it does not exist or cannot be read.
    """
    path, below = name, root
    if not name.endswith((".yml", ".yaml")):
        path = names.workflow(name)
        if not (root / path).is_file():
            # A name that begins with `_` is of a workflow that others call.
            known = [file.stem for file in (root / names.WORKFLOWS).glob("[!_]*.yml")]
            hint = did_you_mean(name, known, f"expected the name of a file in {names.WORKFLOWS}")
            raise WfgenError(f"unknown workflow `{name}`; {hint}")
    elif not (root / path).is_file() and Path(path).is_file():
        below, path = Path.cwd(), Path(path).resolve().relative_to(Path.cwd()).as_posix()
    try:
        return read_pipeline(path, folder_reader(below))
    except (WorkflowError, OSError) as error:
        raise WfgenError(str(error)) from error

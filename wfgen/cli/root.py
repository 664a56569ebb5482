"""The folder of the repository that a command works on."""

from __future__ import annotations

import os


def find_root(directory: str | None) -> str:
    """The named folder, or the nearest one with specs, from the current folder up.

    Raises `NotADirectoryError` where the named folder does not exist.
    """
    start = os.path.realpath(os.getcwd() if directory is None else directory)
    if not os.path.isdir(start):
        raise NotADirectoryError(None, "not a folder", directory)
    folders = [start]
    while directory is None and os.path.dirname(folders[-1]) != folders[-1]:
        folders.append(os.path.dirname(folders[-1]))
    # An application's folder may have another `specs/`: look for project.yaml first.
    for sign in (os.path.join("specs", "project.yaml"), "specs"):
        for folder in folders:
            if os.path.exists(os.path.join(folder, sign)):
                return folder
    return start

"""Builds an image that behaves as a file in its context says, with the stand-in as its program.

`python -m tests.e2e.behaving CONTEXT DOCKERFILE TAG [--build-arg NAME=value ...] [--no-push]`
prints the image's digest, once the image is in the registry that the cluster pulls from.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.registry import Images

BEHAVIOUR = "BEHAVIOUR"
"""NAME=value a line, for the environment that standin/ reads. LOST=yes: the registry lost it."""
BROKEN = "BROKEN"
"""Where this file is, the build fails."""


def read_behaviour(context: Path) -> dict[str, str]:
    """What an image of this folder gets as its environment."""
    lines = (context / BEHAVIOUR).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def build(images: Images, tag: str, environment: dict[str, str], *, push: bool) -> str:
    """The digest of an image; `tag` is `host/repository:tag`."""
    repository, _, version = tag.partition("/")[2].rpartition(":")
    if push and environment.get("LOST") != "yes":
        return images.build(repository, environment, tag=version).partition("@")[2]
    with TemporaryDirectory() as folder:  # that no registry serves
        elsewhere = Images(Path(folder))
        shutil.copy(images.folder / "layer.json", folder)
        return elsewhere.build(repository, environment).partition("@")[2]


def main(arguments: list[str]) -> int:
    """The exit code: 1 for a build that fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("context", type=Path)
    parser.add_argument("dockerfile", type=Path)
    parser.add_argument("tag")
    parser.add_argument("--build-arg", action="append", default=[])
    parser.add_argument("--no-push", action="store_true")
    told = parser.parse_args(arguments)
    if not told.dockerfile.is_file() or (told.context / BROKEN).exists():
        print(f"the build of {told.context} fails", file=sys.stderr)
        return 1
    environment = {
        **read_behaviour(told.context),
        **dict(argument.split("=", 1) for argument in told.build_arg),
    }
    images = Images(Path(os.environ["E2E_FOLDER"]) / "images", os.environ["WFGEN_TEST_REGISTRY"])
    print(build(images, told.tag, environment, push=not told.no_push))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Builds an image of the stand-in program; a file in its context sets how it behaves.

`python -m tests.e2e.behaving CONTEXT DOCKERFILE TAG [--build-arg NAME=value ...] [--no-push]`
pushes it to the registry that the cluster pulls from, and prints its digest.
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
"""One NAME=value a line: the environment of standin/. With LOST=yes, the image is not pushed."""
BROKEN = "BROKEN"
"""A build fails if its context has this file."""


def read_behaviour(context: Path) -> dict[str, str]:
    """The environment of an image of this folder."""
    lines = (context / BEHAVIOUR).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def build(images: Images, tag: str, environment: dict[str, str], *, push: bool) -> str:
    """The digest of an image; `tag` is `host/repository:tag`."""
    repository, _, version = tag.partition("/")[2].rpartition(":")
    if push and environment.get("LOST") != "yes":
        return images.build(repository, environment, tag=version).partition("@")[2]
    with TemporaryDirectory() as folder:  # no registry serves it
        unserved = Images(Path(folder))
        shutil.copy(images.folder / "layer.json", folder)
        return unserved.build(repository, environment).partition("@")[2]


def main(arguments: list[str]) -> int:
    """Runs the command line; 1 if the build fails."""
    parser = argparse.ArgumentParser()
    parser.add_argument("context", type=Path)
    parser.add_argument("dockerfile", type=Path)
    parser.add_argument("tag")
    parser.add_argument("--build-arg", action="append", default=[])
    parser.add_argument("--no-push", action="store_true")
    options = parser.parse_args(arguments)
    if not options.dockerfile.is_file() or (options.context / BROKEN).exists():
        print(f"the build of {options.context} failed", file=sys.stderr)
        return 1
    environment = {
        **read_behaviour(options.context),
        **dict(argument.split("=", 1) for argument in options.build_arg),
    }
    images = Images(Path(os.environ["E2E_FOLDER"]) / "images", os.environ["WFGEN_TEST_REGISTRY"])
    print(build(images, options.tag, environment, push=not options.no_push))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Builds an image on a local base, pushes it to the registry of `make e2e`, and prints its digest.

Usage: `python -m tests.e2e.image CONTEXT DOCKERFILE REPOSITORY:TAG [--build-arg NAME=VALUE]...`
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.bases import build_bases, find_base
from tests.e2e.build import NotBuilt
from tests.e2e.buildah import Buildah, scratch_folder

PUSH = "E2E_PUSH"
"""The registry, as host:port."""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def build(context: Path, dockerfile: Path, tag: str, arguments: Mapping[str, str]) -> str:
    """Builds and pushes an image as `tag`; its digest. Raises `NotBuilt`."""
    builder = build_bases()
    text = dockerfile.read_text("utf-8")
    flags = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    with builder.alone(), scratch_folder() as scratch:
        builder.tidy()
        for base in re.findall(r"^FROM +(?!scratch)(\S+)", text, re.MULTILINE):
            builder.run("tag", find_base(base), base)
        flags += _machine_volumes(Path(scratch))
        _keep_layers(builder, text, Path(scratch), [*flags, str(context.resolve())])
        name = Path(scratch, "name")
        files = (f"--file={dockerfile.resolve()}", f"--iidfile={name}")
        builder.build(*files, *flags, str(context.resolve()))
        return _push(builder, name.read_text().strip(), tag)


def publish_base(reference: str) -> str:
    """Pushes the local base of an image under the image's name; its digest. Raises `NotBuilt`."""
    builder = build_bases()
    with builder.alone():
        return _push(builder, find_base(reference), f"library/{reference}")


def _keep_layers(builder: Buildah, text: str, scratch: Path, flags: list[str]) -> None:
    """Builds and tags what precedes the first ARG, so that its layers stay cached.

    No later layer may be used again: see `Buildah.tidy`.
    """
    head = text.partition("\nARG ")[0] + "\n"
    if head.lstrip().startswith("ARG ") or "FROM " not in head:
        return
    part = scratch / "Dockerfile"
    part.write_text(head, "utf-8")
    name = hashlib.sha256(head.encode()).hexdigest()[:12]
    builder.build(f"--tag=localhost/layers:{name}", f"--file={part}", *flags)


def _push(builder: Buildah, image: str, tag: str) -> str:
    if PUSH not in os.environ:
        raise NotBuilt("no registry found: images are built while `make e2e` runs")
    host, _, path = tag.partition("/")
    place = path if re.search(r"[.:]|^localhost$", host) else tag
    with scratch_folder() as scratch:
        file = Path(scratch, "digest")
        options = ("--tls-verify=false", f"--digestfile={file}")
        builder.run("push", *options, image, f"docker://{os.environ[PUSH]}/{place}")
        return file.read_text().strip()


def _machine_volumes(scratch: Path) -> list[str]:
    """Volumes with this machine's pip configuration and certificates, for the build only."""
    options = {"cert": os.environ.get("SSL_CERT_FILE", CERTIFICATES)}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        options[name.rpartition(".")[2]] = str(ast.literal_eval(value))
    volumes = []
    if Path(options["cert"]).is_file():
        volumes.append(f"--volume={options['cert']}:{CERTIFICATES}:ro")
        options["cert"] = CERTIFICATES
    else:
        del options["cert"]
    # The lines of a value after its first are indented.
    lines = [f"{name} = " + value.replace("\n", "\n ") for name, value in options.items()]
    file = scratch / "pip.conf"
    file.write_text("\n".join(["[global]", *lines, ""]), "utf-8")
    return [*volumes, f"--volume={file}:/etc/pip.conf:ro"]


def main(arguments: list[str]) -> int:
    """Runs the command line; 1 if the build fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.image", description=__doc__)
    parser.add_argument("context", type=Path, help="the folder that the Dockerfile copies from")
    parser.add_argument("dockerfile", type=Path)
    parser.add_argument("tag", help="repository:tag; the host of a registry before it is ignored")
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    values = dict(argument.split("=", 1) for argument in options.build_arg)
    try:
        print(build(options.context, options.dockerfile, options.tag, values))
    except NotBuilt as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Builds an image on a local base and pushes it to the registry of `make e2e`.

`python -m tests.e2e.image CONTEXT DOCKERFILE REPOSITORY:TAG [--build-arg NAME=VALUE]...` prints its
digest.
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
"""Names the registry, as host:port."""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def build(context: Path, dockerfile: Path, tag: str, arguments: Mapping[str, str]) -> str:
    """The digest of a new image, which can then be pulled as `tag`. Raises `NotBuilt`."""
    builder = build_bases()
    text = dockerfile.read_text("utf-8")
    told = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    with builder.alone(), scratch_folder() as scratch:
        builder.tidy()
        for base in re.findall(r"^FROM +(?!scratch)(\S+)", text, re.MULTILINE):
            builder.run("tag", find_base(base), base)
        told += _machine_volumes(Path(scratch))
        _keep_layers(builder, text, Path(scratch), [*told, str(context.resolve())])
        name = Path(scratch, "name")
        files = (f"--file={dockerfile.resolve()}", f"--iidfile={name}")
        builder.build(*files, *told, str(context.resolve()))
        return _push(builder, name.read_text().strip(), tag)


def publish_base(reference: str) -> str:
    """Pushes the base that stands for an image, as that image. The digest; raises `NotBuilt`."""
    builder = build_bases()
    with builder.alone():
        return _push(builder, find_base(reference), f"library/{reference}")


def _keep_layers(builder: Buildah, text: str, scratch: Path, told: list[str]) -> None:
    """Builds what comes before the first argument and names it, so that its layers are kept.

    Of what comes after it no layer may be used again: see `Buildah.tidy`.
    """
    head = text.partition("\nARG ")[0] + "\n"
    if head.lstrip().startswith("ARG ") or "FROM " not in head:
        return
    part = scratch / "Dockerfile"
    part.write_text(head, "utf-8")
    name = hashlib.sha256(head.encode()).hexdigest()[:12]
    builder.build(f"--tag=localhost/layers:{name}", f"--file={part}", *told)


def _push(builder: Buildah, image: str, tag: str) -> str:
    if PUSH not in os.environ:
        raise NotBuilt("no registry: images are built while make e2e runs")
    host, _, path = tag.partition("/")
    place = path if re.search(r"[.:]|^localhost$", host) else tag
    with scratch_folder() as scratch:
        file = Path(scratch, "digest")
        options = ("--tls-verify=false", f"--digestfile={file}")
        builder.run("push", *options, image, f"docker://{os.environ[PUSH]}/{place}")
        return file.read_text().strip()


def _machine_volumes(scratch: Path) -> list[str]:
    """How this machine's pip gets at packages, for the time of the build and not in the image."""
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
    # A value of several lines goes on with lines that are indented.
    lines = [f"{name} = " + value.replace("\n", "\n ") for name, value in options.items()]
    file = scratch / "pip.conf"
    file.write_text("\n".join(["[global]", *lines, ""]), "utf-8")
    return [*volumes, f"--volume={file}:/etc/pip.conf:ro"]


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.image", description=__doc__)
    parser.add_argument("context", type=Path, help="the folder that the Dockerfile copies from")
    parser.add_argument("dockerfile", type=Path)
    parser.add_argument(
        "tag", help="repository:tag; a registry's host before it makes no difference"
    )
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    told = parser.parse_args(arguments)
    values = dict(each.split("=", 1) for each in told.build_arg)
    try:
        print(build(told.context, told.dockerfile, told.tag, values))
    except NotBuilt as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The image of a service: built by the pipeline, or a published one."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from wfgen.specs.kinds._model import (  # fmt: skip
    ArgumentName,
    ImageName,
    ImageReference,
    Line,
    Matching,
    Mistake,
    Model,
    Name,
    Path,
    Refused,
    Text,
)

Platform = Annotated[
    str,
    Matching(
        r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9]+)?",
        "platform",
        "use `<os>/<architecture>`",
        "for example, `linux/arm64`",
    ),
]


class Build(Model):
    """How the image is built."""

    context: Path = "."
    """The build context: a folder, relative to the repository root."""
    dockerfile: Path | None = None
    """The Dockerfile, relative to the repository root; default: `Dockerfile` in the context."""
    target: (
        Annotated[
            str,
            Matching(
                r"[A-Za-z0-9][A-Za-z0-9_.-]*", "stage name", "use letters, digits, `_`, `.` and `-`"
            ),
        ]
        | None
    ) = None
    """The stage of the Dockerfile to build; default: the last stage."""
    args: dict[ArgumentName, Line] = {}
    """Build arguments with a fixed value. With them, several services can share a Dockerfile."""
    dynamic_args: dict[ArgumentName, Literal["sha", "run_id", "run_number", "environment"]] = {}
    """Build arguments whose value is known only during the run: the commit SHA, the run's ID or
    number, or the name of the environment."""
    platforms: Annotated[list[Platform], Field(min_length=1)] = ["linux/amd64"]
    """The platforms of the image. Builds for platforms other than `linux/amd64` are emulated."""
    cache_scope: Name | None = None
    """The scope of the layer cache; services with the same scope share layers. Default: the
    service's name."""
    test: Text | None = None
    """A shell command that must succeed before the image is built, such as `make test`. It runs in
    the repository root, not in the context."""
    before: Text | None = None
    """A shell command that runs before the build, in the repository root: for example, one that
    generates sources."""
    builder: Annotated[Line | None, Refused("remove it; docker buildx builds the images")] = None
    """A builder other than docker buildx (buildpacks, Bazel, ko)."""
    needs: Annotated[
        list[Name],
        Refused("remove it; to build one image on another, use stages of one Dockerfile"),
    ] = []
    """Images that must be built before this one."""

    def mistakes(self) -> Iterator[Mistake]:
        for name in sorted(self.args.keys() & self.dynamic_args.keys()):
            message = f"`{name}` is set in both `args` and `dynamic_args`"
            yield Mistake("dynamic_args", message, "remove one of them")


class Image(Model):
    """The image that the workloads run."""

    name: ImageName | None = None
    """The name of the built image in the project's registry; default: `<project>-<service>`."""
    reference: ImageReference | None = None
    """A published image with an exact tag or digest, such as `redis:7.4.1`; nothing is built."""
    manifest: ImageName | None = None
    """The name of the image in the manifests (kustomize's `images[].name`); default: the service's
    name, or the reference without its tag."""


def image_name(reference: str) -> str:
    """The name in an image reference, without tag and digest."""
    reference = reference.split("@")[0]
    head, colon, tag = reference.rpartition(":")
    return head if colon and "/" not in tag else reference

"""What a spec says of the image: built here, or somebody else's."""

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
    Matching(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9]+)?", "a platform, such as linux/arm64"),
]


class Build(Model):
    """How the image is built."""

    context: Path = "."
    """The folder that the build sees."""
    dockerfile: Path | None = None
    """The Dockerfile, from the repository's root; `Dockerfile` in the context by default."""
    target: (
        Annotated[str, Matching(r"[A-Za-z0-9][A-Za-z0-9_.-]*", "the name of a stage")] | None
    ) = None
    """The stage of the Dockerfile to build; the last by default."""
    args: dict[ArgumentName, Line] = {}
    """Build arguments of fixed value. One Dockerfile makes many images by them."""
    dynamic_args: dict[ArgumentName, Literal["sha", "run_id", "run_number", "environment"]] = {}
    """Build arguments whose value is known only in the run: the commit's SHA, the run's id or
    number, the name of the environment."""
    platforms: Annotated[list[Platform], Field(min_length=1)] = ["linux/amd64"]
    """Platforms of the image; others than linux/amd64 are emulated."""
    cache_scope: Name | None = None
    """Services with one scope share their layers; the service's name by default."""
    test: Text | None = None
    """A shell command that must succeed before the image is built, such as `make test`. It runs in
    the repository's root, not in the context."""
    before: Text | None = None
    """A shell command run before the build, in the repository's root, such as one that generates
    sources."""
    builder: Annotated[Line | None, Refused("remove it; images are built by docker buildx")] = None
    """A builder other than docker buildx (buildpacks, bazel, ko)."""
    needs: Annotated[
        list[Name],
        Refused("remove it; use stages of one Dockerfile for images that build on another"),
    ] = []
    """Images that must be built before this one."""

    def mistakes(self) -> Iterator[Mistake]:
        for name in sorted(self.args.keys() & self.dynamic_args.keys()):
            yield Mistake(
                "dynamic_args", f"{name} stands in args and in dynamic_args", "remove one of them"
            )


class Image(Model):
    """The image that the workloads run."""

    name: ImageName | None = None
    """Its name in the project's registry, free to differ from the service's; `<project>-<service>`
    by default."""
    reference: ImageReference | None = None
    """Somebody else's image, by exact tag or digest; nothing is built."""
    manifest: ImageName | None = None
    """The name by which the manifests call the image (kustomize's `images[].name`); the service's
    name by default, or the reference without its tag."""


def image_name(reference: str) -> str:
    """An image's name without tag and digest."""
    reference = reference.split("@")[0]
    head, colon, tag = reference.rpartition(":")
    return head if colon and "/" not in tag else reference

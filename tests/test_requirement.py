"""`wfgen_requirement`: the drift check installs wfgen-cli, never a stranger's package."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from tests import case
from wfgen.errors import InvalidSpecs
from wfgen.specs import loading
from wfgen.specs.kinds.requirement import Requirement, path_of

REQUIREMENT: TypeAdapter[str] = TypeAdapter(Requirement)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("wfgen-cli==0.1.0", None),
        ("WFGen_CLI >= 0.1, < 1", None),
        ("wfgen-cli[schema]==0.1.*", None),
        ("wfgen-cli<1", None),
        ("wfgen-cli", None),
        ("wfgen-cli @ git+https://git.example.com/tools/wfgen@v1", None),
        ("git+ssh://git@git.example.com/tools/wfgen@0123abc", None),
        ("https://example.com/wfgen_cli-0.1.0-py3-none-any.whl", None),
        (".", "."),
        ("./wfgen", "./wfgen"),
        ("tools/wfgen", "tools/wfgen"),
        ("./wfgen_cli-0.1.0-py3-none-any.whl", "./wfgen_cli-0.1.0-py3-none-any.whl"),
    ],
)
def test_accepted(text: str, path: str | None) -> None:
    assert REQUIREMENT.validate_python(text) == text
    assert path_of(text) == path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, "use `wfgen-cli==<version>`, or `./wfgen` for a folder") for text in (
            "wfgen", "wfgen==0.1.0", "WFGen >= 1", "wfgen[all]", "wfgen<1",
            "wfgen; python_version>'3'", "wfgen @ git+https://git.example.com/tools/wfgen@v1",
        )),
        *((text, "use `wfgen-cli==<version>`, a path such as `./tools/wfgen`, or a git URL")
          for text in (
            "jinja2", "jinja2==3.1.6", "tools", "-r requirements.txt", "-e ./tools/wfgen",
            "--index-url=https://example.com/", "wfgen-cli==0.1.0 --hash=sha256:00",
            "wfgen-cli-extra", "a/$(id)", "tools/wfgen; id", " ", "",
            "git+http://git.example.com/tools/wfgen",
        )),
        *((text, "replace the placeholder with a value") for text in (
            "wfgen-cli==<version>", "wfgen==<version>", "wfgen-cli==...", ".../wfgen", "<path>",
            "wfgen-cli @ git+https://HOST/wfgen", "git+https://a.example/OWNER/wfgen",
            "git+https://a.example/wfgen@COMMIT",
        )),
        *((text, "use `wfgen-cli==<version>`, or a path relative to the repository root")
          for text in (
            "/opt/wfgen", "..", "../wfgen", "tools/../../wfgen", "~/wfgen", "C:/wfgen",
            r"C:\wfgen", "file:///opt/wfgen", "wfgen-cli @ file:///opt/wfgen",
        )),
    ],
)  # fmt: skip
def test_refused(text: str, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        REQUIREMENT.validate_python(text)
    (error,) = caught.value.errors()
    assert error["ctx"]["expected"] == expected


@pytest.mark.parametrize("target", ["elsewhere", "missing"])
def test_a_link_out_of_the_repository_is_refused(target: str, tmp_path: Path) -> None:
    files = {
        **case.BASE,
        "specs/project.yaml": case.read("ok", "requirement-path")["specs/project.yaml"],
    }
    root = case.write(tmp_path / "repository", files)
    (tmp_path / "elsewhere").mkdir()
    (root / "tools").mkdir()
    (root / "tools/wfgen").symlink_to(tmp_path / target)
    with pytest.raises(InvalidSpecs) as caught:
        loading.load(root)
    (problem,) = caught.value.diagnostics
    assert problem.position.line == 3
    assert problem.rule == "requirement"


def test_the_default_is_the_version_of_the_spec(tmp_path: Path) -> None:
    project = loading.load(case.write(tmp_path, case.read("ok", "requirement-default"))).spec
    assert project.wfgen_requirement is None
    assert project.requirement == f"wfgen-cli=={project.wfgen}"

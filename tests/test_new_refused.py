"""`wfgen new` in a small repository: what it keeps unchanged, and what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import case
from tests.terminal import Terminal, fail_to_write
from wfgen.generate.templating import Templates

KUSTOMIZATION = "# Ours\nresources:\n  - ../../bases/web # first\nlabels: []\n"


def add_overlay(terminal: Terminal, folder: str = "kube/overlays/production") -> Path:
    case.write(terminal.root, {f"{folder}/kustomization.yaml": KUSTOMIZATION})
    return terminal.root / folder / "kustomization.yaml"


def test_overlay_with_another_name(terminal: Terminal) -> None:
    """Overlays that the project spec does not name stay unchanged."""
    terminal.edit(
        "specs/project.yaml", "deploy_on: push", "deploy_on: push\n    overlay: deploy/live/"
    )
    ours, other = add_overlay(terminal, "deploy/live"), add_overlay(terminal)
    ran = terminal.run("new", "worker", "--kind", "server")
    assert (ran.code, "changed deploy/live/kustomization.yaml\n" in ran.out) == (0, True)
    assert "wrote deploy/" not in ran.out
    assert ours.read_text("utf-8") == KUSTOMIZATION.replace(
        "# first\n", "# first\n  - ../../kube/bases/worker\n"
    )
    assert other.read_text("utf-8") == KUSTOMIZATION


def test_existing_folders_are_kept(terminal: Terminal) -> None:
    case.write(
        terminal.root,
        {"app/worker/Dockerfile": "FROM scratch\n", "kube/bases/worker/x.yaml": "kind: List\n"},
    )
    ran = terminal.run("new", "worker", "--kind", "server")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "wrote specs/worker.yaml")
    assert [path.name for path in (terminal.root / "app/worker").iterdir()] == ["Dockerfile"]
    assert [path.name for path in (terminal.root / "kube/bases/worker").iterdir()] == ["x.yaml"]
    assert terminal.run("render").code == 0


def test_kind_without_manifests_is_in_no_overlay(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example, one that a contributor has just started."""
    overlay = add_overlay(terminal)
    names = Templates.names
    monkeypatch.setattr(
        Templates, "names", lambda *given: [n for n in names(*given) if n.endswith("/spec.yaml")]
    )
    ran = terminal.run("new", "worker", "--kind", "server")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "wrote specs/worker.yaml")
    assert overlay.read_text("utf-8") == KUSTOMIZATION
    monkeypatch.setattr(Templates, "names", lambda *_: [])
    ran = terminal.run("new", "other", "--kind", "server")
    assert (ran.code, "missing template `kinds/server/spec.yaml`" in ran.err) == (2, True)


def test_first_service_of_an_empty_folder(terminal: Terminal) -> None:
    shutil.rmtree(terminal.root)
    terminal.root.mkdir()
    assert terminal.run("new", "db", "--kind", "postgres").code == 0
    ran = terminal.run("render")
    assert ran.code == 2
    assert "specs/project.yaml:1:1: missing project spec" in ran.err


def test_own_template_of_a_kind(terminal: Terminal) -> None:
    text = "kind: server\nbuild: {context: app/#{{ name }}#}\nreplicas: 2\n"
    case.write(terminal.root, {"templates/kinds/server/spec.yaml": text})
    assert terminal.run("new", "worker", "--kind", "server").code == 0
    spec = (terminal.root / "specs/worker.yaml").read_text("utf-8")
    assert spec == "kind: server\nbuild: {context: app/worker}\nreplicas: 2\n"


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("web", "server", "`specs/web.yaml` already defines service `web`"),
        ("Worker", "server", "invalid name `Worker`: use lower-case letters, digits and hyphens"),
        ("../x", "server", "invalid name `../x`"),
        ("", "server", 'invalid name `""`'),
        ("on", "server", "words such as `true` and `on` are not allowed"),
        ("project", "server", "`specs/project.yaml` is the project spec"),
        ("worker", "sever", "unknown kind `sever`; did you mean `server`?"),
        (
            "worker",
            "terraform",
            "kind `terraform` is not supported by this version of wfgen; run Terraform",
        ),
    ],
)
def test_refused(terminal: Terminal, name: str, kind: str, said: str) -> None:
    add_overlay(terminal)
    before = terminal.files()
    ran = terminal.run("new", name, "--kind", kind)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert terminal.files() == before


def test_service_that_another_file_names(terminal: Terminal) -> None:
    case.write(terminal.root, {"specs/jobs.yaml": "kind: server\nname: worker\n"})
    for name in ("worker", "jobs"):
        ran = terminal.run("new", name, "--kind", "server")
        assert ran.code == 2
        assert "`specs/jobs.yaml` already defines service `worker`" in ran.err


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (
            "kube/overlays/production/kustomization.yaml",
            "resources: [",
            "kustomization.yaml`: expected",
        ),
        (
            "kube/overlays/production/kustomization.yaml",
            "resources: x",
            "kustomization.yaml`: expected",
        ),
        (
            "kube/overlays/production/kustomization.yaml",
            "- a\n",
            "kustomization.yaml`: expected a YAML",
        ),
        ("kube/overlays/production/kustomization.yaml", b"# \xe9\n", "byte 3 is not valid UTF-8"),
        ("templates/kinds/server/spec.yaml", "#{{ nope }}#", "spec.yaml:1: 'nope' is undefined"),
        (
            "templates/kinds/server/spec.yaml",
            "kind: redis\n",
            "worker.yaml:1:7: unknown value `redis` for `kind`",
        ),
    ],
)
def test_nothing_is_written_where_a_part_fails(
    terminal: Terminal, path: str, text: str | bytes, said: str
) -> None:
    (terminal.root / path).parent.mkdir(parents=True)
    (terminal.root / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    before = terminal.files()
    ran = terminal.run("new", "worker", "--kind", "server")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert terminal.files() == before


def test_nothing_is_written_where_the_disk_is_full(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_overlay(terminal)
    fail_to_write(monkeypatch, 5, OSError(28, "No space left on device"))
    before = terminal.files()
    ran = terminal.run("new", "worker", "--kind", "server")
    assert (ran.code, ran.out) == (2, "")
    assert "No space left on device; nothing was" in ran.err
    assert terminal.files() == before

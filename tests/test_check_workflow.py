"""Where the drift check runs: its workflow, the action at the root, pre-commit hooks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import case
from tests.judges import tree
from tests.judges.tools import find_program
from tests.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]
CHECK = ".github/workflows/wfgen-check.yml"
ACTION = ".github/actions/wfgen-check/action.yml"
PIPELINE = ".github/workflows/production.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"


def load(terminal: Terminal, path: str) -> Any:
    return tree.load((terminal.root / path).read_text("utf-8"))


# The workflow and its action


def test_check_runs_on_every_pull_request_with_a_read_only_token(terminal: Terminal) -> None:
    """From forks too: no filter, no condition, no secret."""
    text = (terminal.root / CHECK).read_text("utf-8")
    workflow = load(terminal, CHECK)
    started = {"pull_request": None, "merge_group": None, "push": {"branches": ["main"]}}
    assert workflow["on"] == started
    assert workflow["permissions"] == {}
    job = workflow["jobs"]["check"]
    assert job["permissions"] == {"contents": "read"}
    assert not {"if", "needs", "environment"} & job.keys()
    assert "secrets." not in text
    assert "github.token" not in text + (terminal.root / ACTION).read_text("utf-8")


def test_no_release_waits_for_the_check(terminal: Terminal) -> None:
    for path in (terminal.root / ".github/workflows").iterdir():
        if path.name != "wfgen-check.yml":
            assert "wfgen-check" not in path.read_text("utf-8"), path.name


def test_check_installs_what_the_spec_says(terminal: Terminal) -> None:
    terminal.edit("specs/project.yaml", "wfgen-cli==0.1.0", "wfgen-cli==9.9.9")
    assert terminal.run("render").code == 0
    workflow = load(terminal, CHECK)
    assert workflow["env"] == {"WFGEN_REQUIREMENT": "wfgen-cli==9.9.9"}
    step = workflow["jobs"]["check"]["steps"][-1]
    assert step["uses"] == "./.github/actions/wfgen-check"
    assert step["with"] == {"requirement": "${{ env.WFGEN_REQUIREMENT }}"}


def test_action_at_the_root_is_the_generated_one(terminal: Terminal) -> None:
    """For other workflows; it installs wfgen from the same repository and uses no action."""
    body = (terminal.root / ACTION).read_text("utf-8").split("\n", 3)[3]
    assert (ROOT / "action.yml").read_text("utf-8") == body
    assert "uses:" not in body, "bots do not look into folders of actions"
    assert (ROOT / "pyproject.toml").is_file(), "pip installs the repository"


# pre-commit


def hooks() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load(HOOKS.read_text("utf-8"))
    return entries


def test_hooks_name_commands_and_take_no_files() -> None:
    assert {hook["id"]: hook["entry"] for hook in hooks()} == {
        "wfgen-check": "wfgen check",
        "wfgen-render": "wfgen render --exit-code",
    }
    for hook in hooks():
        assert (hook["pass_filenames"], hook["always_run"]) == (False, True)
        assert hook["language"] == "python"


class Committer:
    """A repository with hooks, and commits in it."""

    def __init__(self, root: Path, environment: dict[str, str]) -> None:
        self.root = root
        self.environment = environment
        self.run("git", "init", "--quiet", "--initial-branch=main")
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "first")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.root, env=self.environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def hook(self, name: str) -> tuple[bool, str]:
        """Whether a commit of everything passes one hook, and the output."""
        self.run("git", "add", "--all")
        ran = self.run("git", "commit", "--message", f"past {name}")
        return ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture
def committing(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, Any]], Committer]:
    """Installs one hook of a repository of hooks in a rendered repository."""

    monkeypatch.setenv("PATH", os.defpath)
    programs = tmp_path / "bin"  # without kustomize, as in all of these tests
    programs.mkdir()
    for name in ("bash", "dirname", "git", "pre-commit", "sh", "wfgen"):
        (programs / name).symlink_to(find_program(name))

    def make(repository: dict[str, Any]) -> Committer:
        config = {"repos": [repository]}
        case.write(terminal.root, {".pre-commit-config.yaml": yaml.safe_dump(config)})
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GIT", "PRE_COMMIT"))},
            "PATH": str(programs),
            "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Test", "GIT_AUTHOR_EMAIL": "test@example.com",
            "GIT_COMMITTER_NAME": "Test", "GIT_COMMITTER_EMAIL": "test@example.com",
        }  # fmt: skip
        made = Committer(terminal.root, environment | {"PATH": f"{programs}:{os.defpath}"})
        ran = made.run("pre-commit", "install", "--install-hooks")
        made.environment = environment
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return made

    return make


def judge_hook(made: Committer, hook: str) -> None:
    """Passes up-to-date files; fails others, and `render` writes them."""
    case.write(made.root, {"README.md": f"# Shop, before {hook}\n"})
    passed, output = made.hook(hook)
    assert passed, output
    assert re.search(r"wfgen (check|render)\.+Passed", output)
    wanted = (made.root / CHECK).read_text("utf-8")
    (made.root / CHECK).unlink()
    passed, output = made.hook(hook)
    assert not passed, "only a deletion"
    assert f"{CHECK}: missing" in output if hook == "wfgen-check" else f"wrote {CHECK}" in output
    assert (made.root / CHECK).exists() == (hook == "wfgen-render")
    (made.root / CHECK).write_text(wanted, "utf-8")
    if hook == "wfgen-render":
        case.write(made.root, {"README.md": "# The shop\n"})
        passed, output = made.hook(hook)
        assert passed, output
        text = (made.root / "specs/project.yaml").read_text("utf-8")
        preview = "  preview:\n    deploy_on: pull_request\n    cluster: {type: kubeconfig}\n"
        (made.root / "specs/project.yaml").write_text(text + preview, "utf-8")
        case.write(made.root, {"kube/overlays/preview/kustomization.yaml": "resources: []\n"})
        passed, output = made.hook(hook)
        assert not passed, "files that git does not know yet"
        assert "wrote .github/workflows/preview.yml" in output


@pytest.mark.parametrize("hook", ["wfgen-check", "wfgen-render"])
def test_hook(committing: Callable[[dict[str, Any]], Committer], hook: str) -> None:
    """As declared, but with the wfgen of this environment."""
    (declared,) = (entry for entry in hooks() if entry["id"] == hook)
    made = committing({"repo": "local", "hooks": [{**declared, "language": "system"}]})
    judge_hook(made, hook)


@pytest.mark.slow
def test_hooks_of_this_repository(
    committing: Callable[[dict[str, Any]], Committer], tmp_path: Path
) -> None:
    """pre-commit clones it, and installs wfgen and its dependencies from the package index."""
    source = tmp_path / "wfgen"
    ignored = (".git", ".venv", "node_modules", "__pycache__", ".cache", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*ignored))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.defpath}"}
    environment |= {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER")
                    for what in ("NAME", "EMAIL")}  # fmt: skip
    Committer(source, environment)
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=source, check=True, capture_output=True, text=True,
        env=environment,
    ).stdout.strip()  # fmt: skip
    for hook in ("wfgen-check", "wfgen-render"):
        made = committing({"repo": str(source), "rev": revision, "hooks": [{"id": hook}]})
        judge_hook(made, hook)

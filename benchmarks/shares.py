"""Processor time in ms of each step of a check, run one by one."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
_last = [0.0]
SHARES: dict[str, float] = {}


def step(name: str) -> None:
    """Adds the time since the last step to `name`."""
    now = time.process_time()
    SHARES[name] = SHARES.get(name, 0.0) + 1000 * (now - _last[0])
    _last[0] = now


def main(root: Path) -> None:
    step("Python")
    from wfgen.remembered import CODE, ENVIRONMENT, Snapshot

    parts = (ENVIRONMENT, CODE, "specs", "templates", ".github", "docs/*", "kube")
    Snapshot(str(root)).digests(parts)
    step("digests for the cache")
    import jinja2
    import yaml
    from pydantic import BaseModel

    type("Model", (BaseModel,), {})
    del jinja2, yaml
    step("importing the libraries")
    from wfgen.checks import rules, static
    from wfgen.cli import app as cli
    from wfgen.cli import repository
    from wfgen.generate import files as generated
    from wfgen.generate import plan, render, templating
    from wfgen.locks import pins
    from wfgen.report import formats
    from wfgen.specs import loading as spec
    from wfgen.worktree import drift

    del cli, formats, repository
    step("importing wfgen, models built")
    project = spec.load(root)
    step("reading and validating specs")
    planned = plan.plan(project)
    templated = list(generated.files(planned))
    step("planning")
    locked = pins.read(pins.load(root) or render.first_lock())
    templates = templating.Templates(root, locked, project.spec.self_repository)
    for name in sorted({file.template for file in templated}):
        templates.environment.get_template(name)
        templates.digest(name)
    for name in templates.environment.list_templates(extensions=["yml"]):
        templates.environment.get_template(name)
    step("templates, compiled or from the cache")
    files = render.render(planned)
    step("rendering")
    assert not rules.verify(files)
    assert not static.check_rendered(files)
    step("rules")
    drifts = drift.compare(root, files)
    step("comparing")
    with tempfile.TemporaryDirectory() as folder:
        drift.write(Path(folder), drift.compare(Path(folder), files))
        step("writing all files (render)")
    assert not drifts


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
    if "--quiet" not in sys.argv:
        print(", ".join(f"{name} {spent:.0f}" for name, spent in SHARES.items()))

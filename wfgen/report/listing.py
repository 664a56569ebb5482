"""What there is: services, pipelines, and the files that are made from them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from wfgen.generate.plan import plan
from wfgen.generate.render import render
from wfgen.locks.pins import LOCK
from wfgen.specs.references import Project


def listing(project: Project, style: str) -> str:
    """Services, pipelines and generated files, for people or as JSON."""
    made = plan(project)
    services = [
        {
            "name": s.spec.name,
            "kind": s.spec.kind,
            "spec": s.file.path,
            "depends_on": s.spec.depends_on,
            "environments": [
                e.name for e in made.environments if s.spec.name in [p.name for p in e.services]
            ],
        }
        for s in project.services
    ]
    pipelines = [
        {
            "name": p.name,
            "environment": p.environment.name,
            "deploy_on": p.environment.spec.deploy_on,
            "services": [s.name for s in p.services],
        }
        for p in made.pipelines
    ]
    files = [{"path": f.path, "specs": list(f.sources)} for f in render(made)]
    if style == "json":
        return json.dumps({"services": services, "pipelines": pipelines, "files": files}, indent=2)
    return "\n".join(
        [
            "Services",
            *table(
                [(s["name"], s["kind"], s["spec"], ", ".join(s["environments"])) for s in services]
            ),
            "\nPipelines",
            *table([(p["name"], p["deploy_on"], ", ".join(p["services"])) for p in pipelines]),
            "\nGenerated files",
            *table(
                [
                    (f["path"], ", ".join(f["specs"]) or _without_specs(str(f["path"])))
                    for f in files
                ]
            ),
        ]
    )


def _without_specs(path: str) -> str:
    return "yours and your bot's: the lock" if path == LOCK else "the same for every project"


def table(rows: Sequence[tuple[object, ...]]) -> list[str]:
    """Rows with aligned columns."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]

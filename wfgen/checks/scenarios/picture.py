"""A workflow as a diagram: its jobs and their needs, coloured by the results of a run.

GitHub draws Mermaid in any Markdown
(https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/creating-diagrams),
Graphviz draws dot; the SVG needs no other program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape

from wfgen.actions import Workflow
from wfgen.checks.scenarios.story import Story
from wfgen.checks.scenarios.table import result_of

FORMS = ("mermaid", "dot", "svg")
COLOURS: Mapping[str, tuple[str, str]] = {
    "success": ("#dafbe1", "#1a7f37"),
    "failure": ("#ffebe9", "#cf222e"),
    "cancelled": ("#eaeef2", "#57606a"),
    "skipped": ("#ffffff", "#8c959f"),
    "": ("#ffffff", "#0969da"),
}
"""Fill and stroke by a job's result; "" without a run."""
_WIDTH, _HEIGHT, _GAP, _ROW = 180, 44, 60, 64


@dataclass(frozen=True)
class Drawing:
    """Boxes with labels and results by job path, and arrows between them."""

    labels: Mapping[str, str]
    results: Mapping[str, str]
    arrows: tuple[tuple[str, str], ...]

    @cached_property
    def columns(self) -> Mapping[str, int]:
        """The column of each box: the length of the longest chain of arrows that leads to it."""
        columns: dict[str, int] = {}
        for path in self.labels:
            columns[path] = max((columns[a] + 1 for a, b in self.arrows if b == path), default=0)
        return columns


def drawing(workflow: Workflow, story: Story | None = None) -> Drawing:
    """The jobs that have steps; a job that calls a workflow is shown as that workflow's jobs."""
    labels, arrows, results = {}, [], {}
    for path, needs in _jobs(workflow):
        results[path] = story.run.jobs[path].result if story else ""
        result = result_of(story, story.run.jobs[path]) if story else ""
        labels[path] = f"{path}: {result}" if result else path
        arrows += [(need, path) for need in needs]
    return Drawing(labels, results, tuple(dict.fromkeys(arrows)))


def _jobs(
    workflow: Workflow, prefix: str = "", caller_needs: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each job with steps, and the jobs with steps that it waits for."""
    ends: dict[str, tuple[str, ...]] = {}
    for job in workflow.jobs.values():
        path = prefix + job.id
        before = tuple(end for name in job.needs for end in ends[name]) or caller_needs
        if job.called:
            inner = list(_jobs(job.called, f"{path}/", before))
            yield from inner
            followed = {name for _, names in inner for name in names}
            ends[job.id] = tuple(name for name, _ in inner if name not in followed)
        else:
            yield path, before
            ends[job.id] = (path,)


def draw(drawn: Drawing, form: str) -> str:
    """The diagram in one of `FORMS`."""
    return {"mermaid": _mermaid, "dot": _dot, "svg": _svg}[form](drawn)


def _mermaid(drawn: Drawing) -> str:
    names = {path: f"j{number}" for number, path in enumerate(drawn.labels)}
    lines = ["flowchart LR"]
    for path, label in drawn.labels.items():
        kind = f":::{drawn.results[path]}" if drawn.results[path] else ""
        lines.append(f'  {names[path]}["{label}"]{kind}')
    lines += [f"  {names[a]} --> {names[b]}" for a, b in drawn.arrows]
    for result in sorted({*drawn.results.values()} - {""}):
        fill, stroke = COLOURS[result]
        dash = ",stroke-dasharray:4" if result == "skipped" else ""
        lines.append(f"  classDef {result} fill:{fill},stroke:{stroke},color:#1f2328{dash}")
    return "\n".join(lines)


def _dot(drawn: Drawing) -> str:
    lines = ["digraph workflow {", "  rankdir=LR;", '  node [shape=box, style="filled,rounded"];']
    for path, label in drawn.labels.items():
        fill, stroke = COLOURS[drawn.results[path]]
        dash = ', style="dashed,rounded"' if drawn.results[path] == "skipped" else ""
        look = f'label="{label}", fillcolor="{fill}", color="{stroke}"{dash}'
        lines.append(f'  "{path}" [{look}];')
    lines += [f'  "{a}" -> "{b}";' for a, b in drawn.arrows]
    return "\n".join([*lines, "}"])


def _svg(drawn: Drawing) -> str:
    taken: dict[int, int] = {}
    places: dict[str, tuple[int, int]] = {}
    width = max(_WIDTH, 20 + max((7 * len(label) for label in drawn.labels.values()), default=0))
    for path, column in drawn.columns.items():
        row = taken.get(column, 0)
        taken[column] = row + 1
        places[path] = (20 + column * (width + _GAP), 20 + row * _ROW)
    right = 20 + max((x + width for x, _ in places.values()), default=0)
    bottom = 20 + max((y + _HEIGHT for _, y in places.values()), default=0)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {bottom}" '
        f'width="{right}" height="{bottom}" font-family="sans-serif" font-size="12">',
        f'<rect width="{right}" height="{bottom}" fill="#ffffff"/>',
    ]
    for a, b in drawn.arrows:
        (x, y), (to, down) = places[a], places[b]
        x, y, down = x + width, y + _HEIGHT // 2, down + _HEIGHT // 2
        bend = (x + to) // 2
        path = f"M{x} {y} C{bend} {y} {bend} {down} {to} {down}"
        lines.append(f'<path d="{path}" fill="none" stroke="#8c959f"/>')
    for path, label in drawn.labels.items():
        (x, y), (fill, stroke) = places[path], COLOURS[drawn.results[path]]
        dash = ' stroke-dasharray="4"' if drawn.results[path] == "skipped" else ""
        lines += [
            f'<rect x="{x}" y="{y}" width="{width}" height="{_HEIGHT}" rx="6" fill="{fill}" '
            f'stroke="{stroke}"{dash}/>',
            f'<text x="{x + width // 2}" y="{y + _HEIGHT // 2 + 4}" text-anchor="middle" '
            f'fill="#1f2328">{escape(label)}</text>',
        ]
    return "\n".join([*lines, "</svg>"])

"""A report as one page that asks nothing of the network."""

import html
from importlib.resources import files
from typing import Any

import msgspec

from monolift.boundaries.probe.layout import Picture, dependency_order, picture
from monolift.boundaries.probe.report import Report

_SCRIPTS = ("state.js", "graph.js", "panel.js", "tables.js", "start.js")


def page(report: Report) -> str:
    """The whole page: markup, style, scripts, data."""
    edges = {(edge.source, edge.target): edge.weight for edge in report.edges}
    placed = picture({module.label: module.lines for module in report.modules}, edges)
    order = dependency_order([module.label for module in report.modules], edges)
    parts = {
        "{{ title }}": html.escape(f"How {report.settings} is coupled"),
        "{{ style }}": _asset("page.css"),
        # The one text that could end the element early is escaped: JSON knows no other spelling.
        "{{ data }}": msgspec.json.encode(_data(report, placed, order))
        .decode()
        .replace("<", "\\u003c"),
        "{{ script }}": "\n".join(_asset(name) for name in _SCRIPTS),
    }
    before, *rest = _asset("page.html").split("{{ ")
    text = [before]
    for piece in rest:
        name, _, after = piece.partition(" }}")
        text += [parts[f"{{{{ {name} }}}}"], after]
    return "".join(text)


def _asset(name: str) -> str:
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8")


def _data(report: Report, placed: Picture, order: list[str]) -> dict[str, Any]:
    """The report as the scripts take it: what repeats is written once."""
    labels = [module.label for module in report.modules]
    module_at = {label: index for index, label in enumerate(labels)}
    kind_at = {kind.name: index for index, kind in enumerate(report.kinds)}
    paths = sorted({coupling.path for coupling in report.couplings})
    path_at = {path: index for index, path in enumerate(paths)}
    return {
        "settings": report.settings,
        "django": report.django,
        "kinds": report.kinds,
        "modules": report.modules,
        "cycles": report.cycles,
        "notes": report.notes,
        "order": order,
        "picture": placed,
        "cuts": [[edge.source, edge.target] for edge in report.edges if edge.cut],
        "paths": paths,
        "couplings": [
            [
                module_at[coupling.source],
                module_at.get(coupling.target, -1),
                kind_at[coupling.kind],
                path_at[coupling.path],
                coupling.line,
                coupling.message,
            ]
            for coupling in report.couplings
        ],
    }

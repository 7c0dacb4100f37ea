"""What only the whole import graph shows: chains through a helper outside the modules."""

from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from monolift.boundaries import static_rules
from monolift.boundaries.files import TESTS, is_test
from monolift.boundaries.permitted import CONTRACTS
from monolift.boundaries.project import Project
from monolift.boundaries.violations import Violation

if TYPE_CHECKING:
    from grimp import ImportGraph


def indirect_imports(project: Project, graph: "ImportGraph") -> Iterator[Violation]:
    """Imports by modules of helpers outside the modules that reach into another module."""
    helpers = _Helpers(project, graph)
    tests = cache(partial(_tests, project, graph))
    for helper in sorted(graph.modules):
        if project.module_at(helper) is not None or project.package_above(helper):
            continue
        for name in sorted(graph.find_modules_that_directly_import(helper)):
            importer = project.module_at(name)
            if importer is None:
                continue
            for reached, way in helpers.reach(helper):
                target = project.module_at(reached)
                if target is None or target.label == importer.label or name in tests():
                    continue
                details = graph.get_import_details(importer=name, imported=helper)
                line = min((detail["line_number"] for detail in details), default=1)
                yield Violation(
                    module=importer.label,
                    owner=importer.owner,
                    rule=static_rules.INDIRECT_IMPORT,
                    source=name,
                    target=reached,
                    path=_path(project, name),
                    line=line,
                    message=(
                        f"{name} imports {helper}, which reaches into {reached}"
                        + (f" ({' -> '.join(way)})." if len(way) > 2 else ".")
                    ),
                    way_out=(
                        f"Move what needs {target.label} out of {way[-2]}, or hand it what it "
                        "needs as a parameter."
                    ),
                )


class _Helpers:
    """What code outside the modules reaches, looked up once for each of its files."""

    def __init__(self, project: Project, graph: "ImportGraph") -> None:
        self._project = project
        self._graph = graph
        self._known: dict[str, list[tuple[str, list[str]]]] = {}

    def reach(self, helper: str) -> Iterable[tuple[str, list[str]]]:
        """The private files of modules that a helper reaches, with the way to each."""
        if helper not in self._known:
            self._known[helper] = list(self._search(helper))
        return self._known[helper]

    def _search(self, start: str) -> Iterator[tuple[str, list[str]]]:
        came = {start: ""}
        pending = [start]
        while pending:
            following = []
            for node in pending:
                for child in sorted(self._graph.find_modules_directly_imported_by(node)):
                    if child in came:
                        continue
                    came[child] = node
                    if self._project.module_at(child) is None:
                        following.append(child)
                    elif child.rpartition(".")[2] not in CONTRACTS:
                        way = [child]
                        while came[way[-1]]:
                            way.append(came[way[-1]])
                        yield child, way[::-1]
            pending = following


def _tests(project: Project, graph: "ImportGraph") -> set[str]:
    """The modules' files that are called as tests are and that no other code of theirs imports."""
    tests = {name for name in graph.modules if _named_as_a_test(project, name)}
    pending = [
        name
        for name in tests
        if any(
            project.module_at(one) and one not in tests
            for one in graph.find_modules_that_directly_import(name)
        )
    ]
    while pending:
        name = pending.pop()
        if name in tests:
            tests.discard(name)
            pending += graph.find_modules_directly_imported_by(name)
    return tests


def _named_as_a_test(project: Project, name: str) -> bool:
    package = project.package_at(name)
    parts = name.removeprefix(package).split(".") if package else []
    return len(parts) > 1 and (not TESTS.isdisjoint(parts) or is_test(f"{parts[-1]}.py"))


def _path(project: Project, name: str) -> str:
    relative = Path(*name.split("."))
    for root in project.roots:
        for candidate in (relative.with_suffix(".py"), relative / "__init__.py"):
            if (root / candidate).is_file():
                return project.shown(root / candidate)
    return name

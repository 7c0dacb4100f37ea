"""Events that cause each other: a handler that leads, call by call, to the same event again.

Calls are followed by their names: functions of the file, names imported from the same module,
methods of `self`, operations of the interfaces that `requires.py` binds. So a circle that is
reported can be one that a condition breaks, and one through a value or a signal is not seen.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from monolift.boundaries import static_rules
from monolift.boundaries.files import SourceFile
from monolift.boundaries.judge import Edge
from monolift.boundaries.order import circles, graph_of, path
from monolift.boundaries.permitted import REQUIRES
from monolift.boundaries.project import Project
from monolift.boundaries.violations import Violation

_OPERATION = "()"
"""Marks a call of an operation: `inventory().reserve`."""


class _Code:
    """Who calls whom in the modules that were read; functions by their dotted names."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._calls: defaultdict[str, set[str]] = defaultdict(set)
        self._members: defaultdict[str, set[str]] = defaultdict(set)
        self._operations: defaultdict[str, set[str]] = defaultdict(set)
        self._bound: dict[str, str] = {}
        self.handlers: list[tuple[str, str, SourceFile, int]] = []
        """(event, function, file, line) of each subscription."""

    def read(self, file: SourceFile, tree: ast.Module) -> None:
        """Note the functions, calls and subscriptions of one file."""
        names: dict[str, str] = {}
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str() as base, names=imported, level=0):
                    names |= {one.asname or one.name: f"{base}.{one.name}" for one in imported}
                case ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Name(id="use"), args=[ast.Name(id=interface)]),
                ) if file.part == REQUIRES:
                    if found := self._project.module_at(names.get(interface, "")):
                        self._bound[f"{file.name}.{name}"] = found.label
                case _:
                    pass
        names |= {
            node.name: f"{file.name}.{node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        self._block(file, tree.body, file.name, "", names)

    def _block(
        self,
        file: SourceFile,
        body: Iterable[ast.stmt],
        above: str,
        owner: str,
        names: dict[str, str],
    ) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                self._block(file, node.body, f"{above}.{node.name}", node.name, names)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{above}.{node.name}"
                if owner:
                    self._members[above].add(name)
                    self._operations[f"{file.module}{_OPERATION}.{node.name}"].add(name)
                for part in ast.walk(node):
                    if isinstance(part, ast.Call):
                        self._calls[name] |= _called(part.func, names, above if owner else "")
                for decorator in node.decorator_list:
                    match decorator:
                        case ast.Call(func=ast.Name(id="subscribe"), args=[ast.Name(id=event)]):
                            self.handlers.append((event, name, file, node.lineno))
                        case _:
                            pass

    def followed(self, name: str) -> Iterator[str]:
        """What a function calls, as dotted names of functions and classes."""
        yield from self._members.get(name, ())
        for called in self._calls.get(name, ()):
            base, _, last = called.rpartition(".")
            if label := self._bound.get(base):
                yield from self._operations.get(f"{label}{_OPERATION}.{last}", ())
            else:
                yield called
                if base not in self._members or last in ("run", "start"):
                    yield base  # a task or a saga: `send.enqueue()`, `Checkout.run()`


def _called(function: ast.expr, names: dict[str, str], owner: str) -> set[str]:
    match function:
        case ast.Name(id=name) if name in names:
            return {names[name]}
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if owner:
            return {f"{owner}.{name}"}
        case ast.Attribute(value=ast.Name(id=base), attr=name) if base in names:
            return {f"{names[base]}.{name}"}
        case _:
            return set()


def event_loops(
    project: Project, edges: Sequence[Edge], files: Iterable[SourceFile]
) -> Iterator[Violation]:
    """Every subscription on a circle of events."""
    reach = graph_of(edges, "call")
    for edge in edges:
        if edge.kind == "subscription":
            reach.setdefault(edge.target, set()).add(edge.source)
    involved = {label for group in circles(reach) for label in group}
    if not involved:
        return
    code = _read(project, involved, files)
    heard = {
        (edge.source, edge.name): (edge.target, edge.name)
        for edge in edges
        if edge.kind == "subscription"
    }
    classes = {
        f"{package}.events.{name}": f"{label}.{name}"
        for label, name in set(heard.values())
        for package in project.by_label[label].packages
    }
    leads: defaultdict[str, set[str]] = defaultdict(set)
    places: dict[tuple[str, str], tuple[str, SourceFile, int]] = {}
    for event, handler, file, line in code.handlers:
        publisher = heard.get((file.module, event))
        if publisher is None:
            continue
        cause = ".".join(publisher)
        for caused in _caused(handler, code, set(classes)):
            leads[cause].add(classes[caused])
            places.setdefault((cause, classes[caused]), (file.module, file, line))
    for group in circles(leads):
        for event in group:
            for after in sorted(leads[event] & set(group)):
                label, file, line = places[event, after]
                way = [event, *([after] if after == event else path(leads, after, event))]
                yield Violation(
                    module=label,
                    owner=project.by_label[label].owner,
                    rule=static_rules.EVENT_LOOP,
                    source=f"{label}.{event}",
                    target=after,
                    path=file.path,
                    line=line,
                    message=(
                        f"{label} handles {event} and that leads to {after}: {' -> '.join(way)}."
                    ),
                    way_out="Let one of the handlers end without publishing.",
                )


def _read(project: Project, involved: set[str], files: Iterable[SourceFile]) -> _Code:
    code = _Code(project)
    for file in files:
        if file.module in involved and file.part not in ("migrations", "admin", "interface"):
            try:
                code.read(file, ast.parse((project.root / file.path).read_bytes()))
            except (SyntaxError, ValueError):
                continue  # reported by whoever reads all files
    return code


def _caused(start: str, code: _Code, events: set[str]) -> Iterator[str]:
    """The events that a function can lead to, by the dotted names of their classes."""
    seen = {start}
    pending = [start]
    while pending:
        for node in code.followed(pending.pop()):
            if node in events:
                yield node
            elif node not in seen:
                seen.add(node)
                pending.append(node)

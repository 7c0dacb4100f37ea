"""Events that cause each other: a handler that leads, call by call, to the same event again.

Calls are followed by their names: functions of the file, imported names, methods of `self`, and the
implementation behind an interface that `requires.py` binds. So a circle that is
reported can be one that a condition breaks, and one through a value or a signal is not seen.
"""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from monolift.boundaries import static_rules
from monolift.boundaries.files import SourceFile
from monolift.boundaries.judge import Edge
from monolift.boundaries.order import circles, path
from monolift.boundaries.project import Project
from monolift.boundaries.violations import Violation


class _File:
    """The names at the top of one file, and what each of its functions calls."""

    def __init__(self, file: SourceFile, tree: ast.Module) -> None:
        self.file = file
        self.names: dict[str, str] = {}
        self.calls: defaultdict[str, set[str]] = defaultdict(set)
        self.members: defaultdict[str, set[str]] = defaultdict(set)
        self.bound: dict[str, str] = {}
        """Names bound with `use()`, and the interface behind each."""
        self.provided: list[str] = []
        """Dotted names in strings of an `apps.py`: what implements the module's interfaces."""
        self.handlers: list[tuple[str, str, int]] = []
        """(event, function, line) of each subscription."""
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str() as base, names=imported, level=0):
                    for one in imported:
                        self.names[one.asname or one.name] = f"{base}.{one.name}"
                case ast.Assign(
                    targets=[ast.Name(id=name)],
                    value=ast.Call(func=ast.Name(id="use"), args=[ast.Name(id=interface)]),
                ):
                    self.bound[name] = interface
                case ast.Dict(values=values) if file.part == "apps":
                    self.provided += [
                        value.value
                        for value in values
                        if isinstance(value, ast.Constant) and isinstance(value.value, str)
                    ]
                case _:
                    pass
        for statement in tree.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.names[statement.name] = f"{file.name}.{statement.name}"
        self._block(tree.body, file.name, in_class=False)

    def _block(self, body: Iterable[ast.stmt], above: str, *, in_class: bool) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                self._block(node.body, f"{above}.{node.name}", in_class=True)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{above}.{node.name}"
                if in_class:
                    self.members[above].add(name)
                for part in ast.walk(node):
                    if isinstance(part, ast.Call):
                        self.calls[name] |= self._called(part.func, above if in_class else "")
                for decorator in node.decorator_list:
                    match decorator:
                        case ast.Call(func=ast.Name(id="subscribe"), args=[ast.Name(id=event)]):
                            self.handlers.append((event, name, node.lineno))
                        case _:
                            pass

    def _called(self, function: ast.expr, owner: str) -> set[str]:
        match function:
            case ast.Name(id=name) if name in self.names:
                return {self.names[name]}
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name) if owner:
                return {f"{owner}.{name}"}
            case ast.Attribute(value=ast.Name(id=base), attr=name) if base in self.names:
                return {f"{self.names[base]}.{name}"}
            case _:
                return set()


class _Code:
    """Who calls whom; a file is read when a call leads into it."""

    def __init__(self, project: Project, files: Iterable[SourceFile]) -> None:
        self._project = project
        self._files = {file.name: file for file in files}
        self._names = {file.path: file.name for file in self._files.values()}
        self._read: dict[str, _File | None] = {}

    def file(self, name: str) -> _File | None:
        """The file of that dotted name; None when there is none that can be parsed."""
        if name not in self._read:
            found = self._files.get(name)
            self._read[name] = self._parsed(found) if found else None
        return self._read[name]

    def at(self, path: str) -> _File | None:
        """The file at a path of the project."""
        return self.file(self._names.get(path, ""))

    def followed(self, function: str) -> Iterator[str]:
        """What a function or class calls, as dotted names of functions and classes."""
        file, _ = self._home(function)
        if file is None:
            return
        yield from file.members.get(function, ())
        for called in file.calls.get(function, ()):
            yield from self._meant(called)

    def _meant(self, called: str) -> Iterator[str]:
        file, rest = self._home(called)
        if file is None:
            return
        first, _, last = rest.partition(".")
        if first in file.bound:
            yield from self._operation(file.names.get(file.bound[first], ""), last)
        elif first in file.names and not file.names[first].startswith(f"{file.file.name}."):
            yield from self._meant(f"{file.names[first]}.{last}".rstrip("."))  # imported again
        else:
            yield called
            if last in ("run", "start") or f"{file.file.name}.{first}" in file.calls:
                yield f"{file.file.name}.{first}"  # `Checkout.run()`, `send.enqueue()`

    def _operation(self, interface: str, name: str) -> Iterator[str]:
        module = self._project.module_at(interface)
        apps = self.file(f"{self._project.package_at(interface)}.apps") if module else None
        for provided in apps.provided if apps else ():
            yield from self._meant(f"{provided}.{name}")

    def _home(self, name: str) -> tuple[_File | None, str]:
        """The file that a dotted name lies in, and what follows the file's name."""
        home = name
        while home and home not in self._files:
            home = home.rpartition(".")[0]
        return self.file(home) if home else None, name.removeprefix(home).lstrip(".")

    def _parsed(self, file: SourceFile) -> _File | None:
        try:
            return _File(file, ast.parse((self._project.root / file.path).read_bytes()))
        except (SyntaxError, ValueError):
            return None  # reported by whoever reads all files


def event_loops(
    project: Project, edges: Sequence[Edge], files: Iterable[SourceFile]
) -> Iterator[Violation]:
    """Every subscription on a circle of events."""
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
    code = _Code(project, files)
    for place in sorted({edge.path for edge in edges if edge.kind == "subscription"}):
        subscriber = code.at(place)
        if subscriber is None:
            continue
        file = subscriber.file
        for event, handler, line in subscriber.handlers:
            publisher = heard.get((file.module, event))
            if publisher is None:
                continue
            cause = ".".join(publisher)
            for caused in _caused(handler, code, classes.keys()):
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


def _caused(start: str, code: _Code, events: Collection[str]) -> Iterator[str]:
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

"""Which operations and settings the code of a module names. Its files are read, never imported.

A name counts where it leads to a proxy: `catalog.product(...)` after
`from modules.orders.requires import catalog`, `requires.catalog.product(...)`,
`use(Catalog).product(...)`, or an attribute of `self` that was assigned from one of them. What is
made from a proxy, `catalog = cached(requires.catalog)`, stands for it.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings

from monolift.documents.errors import DocumentsError
from monolift.kernel import Interface, Operation, operations_of
from monolift.registry.modules import Module
from monolift.registry.proxies import binding_of, use

_LEFT_OUT = frozenset(("tests", "migrations", "__pycache__", "node_modules"))


def files_of(module: Module, *, others: frozenset[Path]) -> Iterator[tuple[str, Path]]:
    """(dotted name, path) of a module's own files: no tests, no migrations, no module inside it."""
    root = Path(module.path)
    for path in sorted(root.rglob("*.py")):
        inner = path.relative_to(root)
        name = inner.stem
        if (
            _LEFT_OUT & set(inner.parts)
            or name in ("tests", "conftest")
            or name.startswith("test_")
            or any(folder != root and folder in others for folder in path.parents)
        ):
            continue
        parts = inner.parent.parts if name == "__init__" else (*inner.parent.parts, name)
        yield ".".join((module.name, *parts)), path


def read(
    module: Module, *, others: frozenset[Path], proxies: Mapping[int, type[Any]]
) -> list["Reading"]:
    """The files of a module, each knowing what its names stand for. Raises DocumentsError.

    `proxies` are the interfaces by the ids of their proxies.
    """
    shared: dict[str, Reading] = {}
    for name, path in files_of(module, others=others):
        shared[name] = Reading(name=name, path=path, proxies=proxies, shared=shared)
    while any(reading.bind() for reading in shared.values()):
        pass  # a file may pass on what another one binds
    return list(shared.values())


class Reading:
    """What one file names."""

    def __init__(
        self,
        *,
        name: str,
        path: Path,
        proxies: Mapping[int, type[Any]],
        shared: "Mapping[str, Reading]",
    ) -> None:
        self.name = name
        self._shared = shared
        self._package = name if path.stem == "__init__" else name.rpartition(".")[0]
        self._proxies = proxies
        self._names: dict[str, Any] = {}
        self._of_self: dict[str, Any] = {}
        try:
            tree = ast.parse(path.read_bytes(), filename=str(path))
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            reason = getattr(error, "msg", None) or error
            raise DocumentsError(f"{path}, line {line}, cannot be read: {reason}.") from None
        self._nodes = list(ast.walk(tree))

    def bind(self) -> bool:
        """Find what the file's names stand for; whether more of them are known than before."""
        before = self._known()
        for node in self._nodes:
            self._bind_import(node)
        for node in self._nodes:
            self._bind_assignment(node)
        return self._known() != before

    def _known(self) -> tuple[int, int]:
        bound = sum(value is not None for value in self._names.values())
        return bound, len(self._of_self)

    def proxy(self, name: str) -> Any:
        """The proxy that a name of the file stands for; None for anything else."""
        value = self._names.get(name)
        return value if id(value) in self._proxies else None

    def operations(self) -> Iterator[Operation]:
        """The operations of interfaces that the file names."""
        for node in self._nodes:
            if isinstance(node, ast.Attribute):
                interface = self._proxies.get(id(self._value(node.value)))
                if interface is not None and node.attr in operations_of(interface):
                    yield operations_of(interface)[node.attr]

    def interfaces(self) -> Iterator[type[Any]]:
        """The interfaces that the file has a proxy of."""
        for value in (*self._names.values(), *self._of_self.values()):
            if id(value) in self._proxies:
                yield self._proxies[id(value)]

    def settings(self) -> Iterator[str]:
        """`NAME`, or `NAME["KEY"]` where a key of a dict is read."""
        keyed: set[int] = set()
        for node in self._nodes:
            match node:
                case ast.Subscript(
                    value=ast.Attribute(value=base, attr=name) as whole,
                    slice=ast.Constant(value=str() as key),
                ) if self._is_settings(base, name):
                    keyed.add(id(whole))
                    yield f'{name}["{key}"]'
                case ast.Attribute(value=base, attr=name) if id(
                    node
                ) not in keyed and self._is_settings(base, name):
                    yield name
                case ast.Call(
                    func=ast.Name(id="getattr"), args=[base, ast.Constant(value=str() as name), *_]
                ) if self._is_settings(base, name):
                    yield name
                case _:
                    continue

    def _is_settings(self, node: ast.expr, name: str) -> bool:
        return name.isupper() and self._value(node) is settings

    def _bind_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                self._names[bound] = self._file(alias.name if alias.asname else bound)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                above = self._package.split(".")
                above = above[: len(above) - node.level + 1]
                start = ".".join((*above, start)) if start else ".".join(above)
            for alias in node.names:
                found = self._member(self._file(start), alias.name)
                if found is None:
                    found = self._file(f"{start}.{alias.name}")
                self._names[alias.asname or alias.name] = found

    def _bind_assignment(self, node: ast.AST) -> None:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            return
        value = self._value(node.value)
        if id(value) not in self._proxies:
            return
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            match target:
                case ast.Name(id=name):
                    self._names[name] = value
                case ast.Attribute(value=ast.Name(id="self"), attr=name):
                    self._of_self[name] = value
                case _:
                    continue

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                return self._names.get(name)
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in self._of_self:
                return self._of_self[name]
            case ast.Attribute(value=base, attr=name):
                return self._member(self._value(base), name)
            case ast.Call(func=function, args=[argument]) if self._value(function) is use:
                interface = self._value(argument)
                return binding_of(interface).proxy if _is_interface(interface) else None
            case ast.Call(args=arguments):
                made_from = [self._value(one) for one in arguments]
                return next((one for one in made_from if id(one) in self._proxies), None)
            case _:
                return None

    def _file(self, name: str) -> Any:
        """A Python module: as it was read if it is the module's own, else as it is loaded."""
        return self._shared.get(name) or sys.modules.get(name)

    def _member(self, holder: Any, name: str) -> Any:
        if isinstance(holder, Reading):
            inner = self._shared.get(f"{holder.name}.{name}")
            return holder.proxy(name) or inner or _loaded(sys.modules.get(holder.name), name)
        return _loaded(holder, name)


def _loaded(holder: Any, name: str) -> Any:
    return vars(holder).get(name) if isinstance(holder, ModuleType) else None


def _is_interface(value: Any) -> bool:
    return issubclass(type(value), type) and bool(getattr(value, "interface_name", ""))


def loaded_interfaces() -> list[type[Any]]:
    """Every interface that is loaded, by name; none of a file that was loaded anew since."""
    found: dict[type[Any], None] = {}
    pending: list[type[Any]] = [Interface]
    while pending:
        for one in pending.pop().__subclasses__():
            pending.append(one)
            here = _loaded(sys.modules.get(one.__module__), one.__name__) is one
            if here and vars(one).get("interface_name"):
                found[one] = None
    return sorted(found, key=lambda one: (one.interface_name, one.__module__))

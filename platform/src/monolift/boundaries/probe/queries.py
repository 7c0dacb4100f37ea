"""Queries that go through another module's tables: lookups and reverse accessors.

Files do not say of which class an object is. A query that begins with a model is followed from that
model; of others, only what no model but the foreign one can mean is reported.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from monolift.boundaries.files import SourceFile
from monolift.boundaries.project import Project
from monolift.boundaries.violations import Violation

_BY_KEYWORD = frozenset(
    ("filter", "exclude", "get", "Q", "get_or_create", "update_or_create", "aget",
     "get_object_or_404", "get_list_or_404", "When")
)  # fmt: skip
_BY_NAME = frozenset(
    ("order_by", "values", "values_list", "select_related", "prefetch_related", "only", "defer",
     "F", "OuterRef", "Count", "Sum", "Avg", "Max", "Min", "Prefetch", "dates")
)  # fmt: skip
_LOADED = frozenset(("select_related", "prefetch_related", "Prefetch"))
_OF_MANAGERS = frozenset(
    ("all", "filter", "exclude", "count", "exists", "first", "last", "get", "create", "add",
     "remove", "set", "clear", "order_by", "values", "values_list", "select_related", "through",
     "prefetch_related", "aggregate", "annotate", "update", "delete", "get_or_create", "none",
     "update_or_create", "bulk_create", "latest", "earliest", "iterator", "in_bulk", "distinct",
     "only")
)  # fmt: skip


class Queries:
    """Reads the queries of files, with the models of all modules at hand."""

    def __init__(self, project: Project) -> None:
        from django.apps import apps

        self._project = project
        self._by_path: dict[str, Any] = {}
        self._of_module: defaultdict[str, list[Any]] = defaultdict(list)
        self._accessors: defaultdict[str, set[tuple[Any, Any]]] = defaultdict(set)
        forward: set[str] = set()
        for model in apps.get_models():
            self._by_path[f"{model.__module__}.{model.__qualname__}"] = model
            label = self._label(model)
            if label:
                self._of_module[label].append(model)
            forward |= {field.name for field in model._meta.local_many_to_many}
            for relation in model._meta.related_objects:
                name = relation.get_accessor_name()
                if name and relation.multiple and self._label(relation.related_model):
                    self._accessors[name].add((model, relation.related_model))
        self._ambiguous = forward & self._accessors.keys()

    def violations(self, file: SourceFile, content: bytes) -> Iterator[Violation]:
        """The queries of a file that go into another module's tables."""
        if file.part == "migrations":
            return
        tree = ast.parse(content)
        imported = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        pending: list[tuple[ast.AST, str]] = [(tree, file.name)]
        while pending:
            node, source = pending.pop()
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                source = f"{source}.{node.name}"
            if isinstance(node, ast.Call):
                yield from self._lookups(file, source, node, imported)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
                yield from self._accessor(file, source, node)
            pending += [(child, source) for child in ast.iter_child_nodes(node)]

    def _label(self, model: Any) -> str:
        module = self._project.by_label.get(model._meta.app_label)
        return module.label if module else ""

    # --- lookups --------------------------------------------------------------------------------

    def _lookups(
        self, file: SourceFile, source: str, call: ast.Call, imported: dict[str, str]
    ) -> Iterator[Violation]:
        name = _last(call.func)
        paths: list[tuple[str, int]] = []
        if name in _BY_KEYWORD:
            paths = [(word.arg, word.lineno) for word in call.keywords if word.arg]
        elif name in _BY_NAME:
            paths = [
                (argument.value.lstrip("-"), argument.lineno)
                for argument in call.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ]
        if not paths:
            return
        root = self._root(file, call.func, imported)
        starts = [root] if root is not None else self._of_module[file.module]
        for path, line in paths:
            if root is None and "__" not in path:
                continue
            loads = name in _LOADED
            tried = (self._reached(file.module, model, path, loads=loads) for model in starts)
            reached = {found for found in tried if found is not None}
            target = min(reached) if len(reached) == 1 else ""
            if target:
                label = self._project.by_label[target.partition(".")[0]].label
                yield Violation(
                    module=file.module,
                    rule="foreign-lookup",
                    source=source,
                    target=f"{target}.{path}",
                    path=file.path,
                    line=line,
                    message=f"The lookup {path} goes through {target}, a table of {label}.",
                    way_out="",
                )

    def _root(self, file: SourceFile, node: ast.expr, imported: dict[str, str]) -> Any:
        """The model that a chain such as `Order.objects.filter` begins with; None when unknown."""
        while isinstance(node, ast.Attribute | ast.Call):
            node = node.value if isinstance(node, ast.Attribute) else node.func
        if not isinstance(node, ast.Name) or not node.id[:1].isupper():
            return None
        name = imported.get(node.id, node.id)
        named = [model for model in self._by_path.values() if model.__name__ == name]
        own = [model for model in named if self._label(model) == file.module]
        return own[0] if own else named[0] if len(named) == 1 else None

    def _reached(self, label: str, model: Any, path: str, *, loads: bool) -> str | None:
        """`app.Model` of the first foreign table that a path needs; empty when it needs none.

        None when the model has no such path.
        """
        from django.core.exceptions import FieldDoesNotExist

        own = {label, self._label(model)}  # a join inside another module is that import's matter
        parts = path.split("__")
        for index, part in enumerate(parts):
            try:
                field = model._meta.get_field(part)
            except FieldDoesNotExist:
                return "" if index else None
            related = getattr(field, "related_model", None)
            if not field.is_relation or related is None or isinstance(related, str):
                return ""
            target = self._label(related)
            if target and target not in own:
                rest = parts[index + 1 :]
                if field.auto_created and not field.concrete:
                    return _named(related)
                if rest and _is_column(related, rest[0]):
                    return _named(related)
                return _named(related) if loads else ""
            model = related
        return ""

    # --- reverse accessors ----------------------------------------------------------------------

    def _accessor(self, file: SourceFile, source: str, node: ast.Attribute) -> Iterator[Violation]:
        """`customer.orders.count`: the node is the method, its value the accessor."""
        accessor = node.value
        if not isinstance(accessor, ast.Attribute) or node.attr not in _OF_MANAGERS:
            return
        name = accessor.attr
        found = self._accessors.get(name, set())
        base = _last(accessor.value).lower().replace("_", "")
        if base == "self":
            found = {pair for pair in found if source.startswith(_bases(pair[0]))}
        elif name in self._ambiguous:
            found = {pair for pair in found if pair[0].__name__.lower() == base}
        labels = {self._label(related) for _, related in found}
        if len(labels) != 1 or file.module in labels:
            return
        owner, related = min(
            found,
            key=lambda pair: (pair[0].__name__.lower() != base, _named(pair[0]), _named(pair[1])),
        )
        yield Violation(
            module=file.module,
            rule="reverse-accessor",
            source=source,
            target=f"{_named(related)}.{name}",
            path=file.path,
            line=accessor.end_lineno or accessor.lineno,
            message=f"{owner.__name__}.{name} reads {_named(related)}, a table of {min(labels)}.",
            way_out="",
        )


def _is_column(model: Any, name: str) -> bool:
    """It is a field of the other table beside its key, which the own table has too."""
    return name != "pk" and any(
        name == field.name and not getattr(field, "primary_key", False)
        for field in model._meta.get_fields()
    )


def _bases(model: Any) -> tuple[str, ...]:
    """Beginnings of the names of what is written in a model's class, or in one above it."""
    return tuple(f"{kind.__module__}.{kind.__qualname__}." for kind in model.__mro__)


def _named(model: Any) -> str:
    return f"{model._meta.app_label}.{model.__name__}"


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _last(function)
        case _:
            return ""

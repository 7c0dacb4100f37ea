"""Of which model an expression is a class, a query or a row, where the syntax tree tells."""

import ast
from enum import Enum, auto
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured

from monolift.boundaries.bindings import imported_names
from monolift.boundaries.files import SourceFile
from monolift.boundaries.registry.graph import ModelGraph

_ONE = frozenset(
    ("get", "aget", "first", "afirst", "last", "alast", "create", "acreate", "earliest",
     "aearliest", "latest", "alatest")
)  # fmt: skip
_PAIR = frozenset(("get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create"))
_NOTHING = frozenset(
    ("aggregate", "aaggregate", "count", "acount", "exists", "aexists", "update", "aupdate",
     "delete", "adelete", "in_bulk", "explain", "contains", "values", "values_list")
)  # fmt: skip
_MANY = frozenset(
    ("QuerySet", "Manager", "Iterable", "Iterator", "Sequence", "list", "tuple", "set")
)
_MANAGERS = frozenset(("objects", "_default_manager", "_base_manager"))


class What(Enum):
    """What an expression is of a model."""

    CLASS = auto()
    QUERY = auto()
    ROW = auto()


class Typed(NamedTuple):
    """An expression's model, and what it is of it."""

    what: What
    model: Any


class Inference:
    """Answers for the expressions of one file."""

    def __init__(self, graph: ModelGraph, file: SourceFile, tree: ast.Module) -> None:
        self._graph = graph
        self._file = file
        package = file.path.endswith("/__init__.py")
        self._imported = imported_names(tree, file.name, package=package)
        self.names: dict[str, Typed | None] = {}
        """What the names of the current scope stand for."""
        self.model: Any = None
        """What `self.model`, `self.queryset` and `self.get_queryset()` are about."""

    def of(self, node: ast.expr | None) -> Typed | None:
        """None when the tree does not tell."""
        match node:
            case ast.Name(id=name):
                if name in self.names:
                    return self.names[name]
                return self._class(node)
            case ast.Attribute(value=value, attr=name):
                return self._class(node) or self._attribute(value, name)
            case ast.Call():
                return self._call(node)
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.of(value)
            case ast.Subscript(value=value, slice=index):
                found = self.of(value)
                if found and found.what is What.QUERY and not isinstance(index, ast.Slice):
                    return Typed(What.ROW, found.model)
                return found if found and found.what is What.QUERY else None
            case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd()):
                return self.of(left)
            case _:
                return None

    def annotated(self, node: ast.expr | None) -> Typed | None:
        """What a value with this annotation is."""
        match node:
            case ast.Constant(value=str() as text):
                try:
                    return self.annotated(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    return None
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.annotated(left) or self.annotated(right)
            case ast.Subscript(value=outer, slice=inner):
                inner = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
                found = self.annotated(inner)
                many = last(outer).removesuffix("_") in _MANY or "QuerySet" in last(outer)
                return Typed(What.QUERY, found.model) if found and many else found
            case ast.Name() | ast.Attribute():
                known = self._class(node)
                return Typed(What.ROW, known.model) if known else None
            case _:
                return None

    def _class(self, node: ast.expr) -> Typed | None:
        name = self._dotted(node)
        if not name:
            return None
        model = self._graph.by_path.get(name)
        if model is None and (home := self._graph.project.module_at(name)):
            # Imported from a package that only passes it on.
            short = name.rpartition(".")[2]
            same = [
                one for one in self._graph.of_module.get(home.label, ()) if one.__name__ == short
            ]
            model = same[0] if len(same) == 1 else None
        return Typed(What.CLASS, model) if model is not None else None

    def _dotted(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return self._imported.get(name) or f"{self._file.name}.{name}"
            case ast.Attribute(value=value, attr=attr):
                outer = self._dotted(value)
                return f"{outer}.{attr}" if outer else ""
            case _:
                return ""

    def _attribute(self, value: ast.expr, name: str) -> Typed | None:
        if isinstance(value, ast.Name) and value.id == "self" and self.model is not None:
            if name == "model":
                return Typed(What.CLASS, self.model)
            if name == "queryset":
                return Typed(What.QUERY, self.model)
            if name in {"object", "instance"}:
                return Typed(What.ROW, self.model)
        found = self.of(value)
        if found is None:
            return None
        if found.what is What.CLASS:
            managers = found.model._meta.managers_map
            if name in _MANAGERS or name in managers:
                return Typed(What.QUERY, found.model)
            return None
        if found.what is What.QUERY:
            return None
        return self._related(found.model, name)

    def _related(self, model: Any, name: str) -> Typed | None:
        for accessor in self._graph.accessors.get(name, ()):
            if issubclass(model, accessor.owner):
                what = What.QUERY if accessor.many else What.ROW
                return Typed(what, accessor.related)
        try:
            field: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        related = getattr(field, "related_model", None)
        if related is None or isinstance(related, str) or name != field.name:
            return None
        many = field.many_to_many or field.one_to_many
        return Typed(What.QUERY if many else What.ROW, related)

    def _call(self, node: ast.Call) -> Typed | None:
        name = last(node.func)
        if name in {"get_object_or_404", "aget_object_or_404"} and node.args:
            found = self.of(node.args[0])
            return Typed(What.ROW, found.model) if found else None
        if name == "get_user_model":
            try:
                return Typed(What.CLASS, get_user_model())
            except ImproperlyConfigured:
                return None
        if name == "get_model":
            return _by_name(node)
        if not isinstance(node.func, ast.Attribute):
            found = self.of(node.func)
            return Typed(What.ROW, found.model) if found and found.what is What.CLASS else None
        match node.func.value:
            case ast.Name(id="self") | ast.Call(func=ast.Name(id="super")) if (
                name == "get_queryset" and self.model is not None
            ):
                return Typed(What.QUERY, self.model)
            case ast.Name(id="self") if name == "get_object" and self.model is not None:
                return Typed(What.ROW, self.model)
            case _:
                pass
        found = self.of(node.func.value)
        if found is None:
            called = self._class(node.func)
            return Typed(What.ROW, called.model) if called else None
        if found.what is not What.QUERY or name in _NOTHING or name in _PAIR:
            return found if found.what is What.QUERY and name in {"values", "values_list"} else None
        return Typed(What.ROW, found.model) if name in _ONE else found


def _by_name(node: ast.Call) -> Typed | None:
    texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
    try:
        return Typed(What.CLASS, apps.get_model(".".join(str(text) for text in texts)))
    except (LookupError, ValueError):
        return None


def last(node: ast.expr | None) -> str:
    """The last part of a name: `filter` of `Order.objects.filter`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""

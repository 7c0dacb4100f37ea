"""One Python file's syntax tree, read for everything that can point at another module."""

import ast
import re
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from monolift.boundaries.bindings import absolute, dotted
from monolift.boundaries.default_database import names_of_the_default_database
from monolift.boundaries.files import SourceFile

FIELDS = {
    "ForeignKey": "foreign-key",
    "ParentalKey": "foreign-key",
    "TreeForeignKey": "foreign-key",
    "OneToOneField": "one-to-one",
    "ManyToManyField": "many-to-many",
    "ParentalManyToManyField": "many-to-many",
    "GenericRelation": "generic-relation",
}
_NAMING = {
    **dict.fromkeys(("import_module", "__import__", "import_string", "locate"), "dynamic-import"),
    **dict.fromkeys(("send_task", "signature"), "task-name"),
    **dict.fromkeys(("reverse", "reverse_lazy", "redirect", "resolve_url"), "url-name"),
}
"""Functions that are given a name, and what it names."""
_FIRST = {
    **dict.fromkeys(("import_module", "send_task", "__import__"), "name"),
    **dict.fromkeys(("reverse", "reverse_lazy"), "viewname"),
    "import_string": "dotted_path",
    "locate": "path",
    "redirect": "to",
    "resolve_url": "to",
    "get_model": "app_label",
    "get_registered_model": "app_label",
    "get_by_natural_key": "app_label",
}
"""What their first parameter is called, for callers who say it."""
_CACHE = frozenset(
    ("get", "set", "add", "delete", "get_or_set", "get_many", "set_many", "delete_many", "incr",
     "decr", "touch", "has_key", "aget", "aset", "adelete")
)  # fmt: skip
_MODEL_GETTERS = frozenset(
    ("get_model", "get_models", "get_registered_model", "get_by_natural_key")
)
_CALLS = frozenset(("receiver", "connect", "getattr", "extra", *_CACHE, *_MODEL_GETTERS, *_NAMING))
_TEMPLATE = re.compile(r"[\w./-]+\.\w+")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_TABLE = re.compile(
    r"""(?i)\b(?:FROM|JOIN|INTO|UPDATE|TABLE|TRUNCATE|USING)\s+(?:ONLY\s+)?["'`\[]?"""
    r"""(?:\w+["'`\]]?\.["'`\[]?)?([a-z_]\w*)"""
)
_STATEMENT = re.compile(
    r"(?is)\s*(?:SELECT\b.*\bFROM\b|WITH\b.*\bSELECT\b|INSERT\s+INTO\b|DELETE\s+FROM\b|"
    r"UPDATE\s+\S+(?:\s+(?:AS\s+)?\w+)?\s+SET\b|(?:ALTER|CREATE|DROP|TRUNCATE|LOCK)\s+.*\bTABLE\b|"
    r"(?:ALTER|CREATE|DROP|TRUNCATE|LOCK)\s+TABLE\b)"
)


_ANY = ast.Constant("*")
_LEAVES = frozenset((str, int, type(None), bool, ast.Name, ast.Load, ast.Store, ast.Pass))
"""Types of nodes and fields that say nothing by themselves."""


class Reference(msgspec.Struct, frozen=True, order=True):
    """One place that names something which may belong to another module."""

    kind: str
    source: str
    """Dotted name of the innermost class or function."""
    value: str
    """What it names, as the kind says it: a dotted name, `label.Model`, a URL name."""
    line: int
    field: str = ""
    """The attribute that a relation is assigned to; for the default database, its way out."""


class Unreadable(Exception):
    """A file is no Python; the message is one line with the position in it."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(path, line, reason)
        self.path = path
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def references(file: SourceFile, content: bytes, *, packages: Collection[str]) -> list[Reference]:
    """All references in a file, each once, in order. Raises Unreadable.

    `packages` are the first parts of the modules' dotted names.
    """
    try:
        tree = ast.parse(content, filename=file.path)
    except SyntaxError as error:
        raise Unreadable(file.path, error.lineno or 1, f"syntax error: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(file.path, 1, f"cannot be parsed: {error}") from None
    reader = _Reader(file, packages)
    reader.body(tree)
    return sorted(set(reader.found))


class _Reader:
    def __init__(self, file: SourceFile, packages: Collection[str]) -> None:
        self.file = file
        inside = file.path.endswith("/__init__.py")
        self._package = file.name if inside else file.name.rpartition(".")[0]
        self._packages = packages
        self._chained: set[str] = set()
        """Names that an `import` of one of the packages has bound."""
        self.found: list[Reference] = []
        self._stack = [file.name]
        self._names: dict[str, str] = {}
        self._told: set[ast.AST] = set()
        """Strings that a call has given a meaning."""
        self._readers: dict[type, Callable[[Any], bool]] = {
            ast.ClassDef: self._definition,
            ast.FunctionDef: self._definition,
            ast.AsyncFunctionDef: self._definition,
            ast.Import: self._import,
            ast.ImportFrom: self._import,
            ast.Call: self._call,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Expr: self._expression,
            ast.Constant: self._constant,
            ast.Assign: self._assignment,
            ast.AnnAssign: self._assignment,
        }

    def body(self, tree: ast.AST) -> None:
        """Read what is below a node."""
        for name in tree._fields:
            value = getattr(tree, name)
            if isinstance(value, list):
                for child in value:
                    if type(child) not in _LEAVES:
                        self._visit(child)
            elif type(value) not in _LEAVES and isinstance(value, ast.AST):
                self._visit(value)

    def _visit(self, node: ast.AST) -> None:
        kind = type(node)
        for line, name, way_out in names_of_the_default_database(node, self._names):
            self._add("default-database", name, line, way_out)
        read = self._readers.get(kind)
        if read is None or read(node):
            self.body(node)

    # One kind of node each; they say whether what is below is to be read as well.

    def _attribute(self, node: ast.Attribute) -> bool:
        if node.attr.isupper() and self._dotted(node.value) == "django.conf.settings":
            self._add("setting", node.attr, node.lineno)
        match node:
            case ast.Attribute(
                value=ast.Call(func=called) as call, attr="models" | "models_module"
            ):
                if _last(called) == "get_app_config":
                    self._model_by_name(node, _argument(call, 0, "app_label"), _ANY)
            case _ if self._chained and _first(node) in self._chained:
                self._add("chain", self._dotted(node), node.lineno)
                return False
            case _:
                pass
        return type(node.value) is not ast.Name

    def _subscript(self, node: ast.Subscript) -> bool:
        if _last(node.value) == "all_models":
            self._model_by_name(node, node.slice, _ANY)
        return True

    def _constant(self, node: ast.Constant) -> bool:
        if isinstance(node.value, str) and node not in self._told:
            self._text(node.value, node.lineno)
        return False

    def _expression(self, node: ast.Expr) -> bool:
        return not isinstance(node.value, ast.Constant)  # a docstring

    def _assignment(self, node: ast.Assign | ast.AnnAssign) -> bool:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(node.value, ast.Call) and isinstance(target, ast.Name):
            self._relation(target.id, node.value)
        return True

    def _definition(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        self._stack.append(node.name)
        self.body(node)
        self._stack.pop()
        return False

    def _add(self, kind: str, value: str, line: int, field: str = "") -> None:
        self.found.append(Reference(kind, ".".join(self._stack), value, line, field))

    def _import(self, node: ast.Import | ast.ImportFrom) -> bool:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._add("import", alias.name, node.lineno)
                first = alias.name.partition(".")[0]
                self._names[alias.asname or first] = alias.name if alias.asname else first
                if first in self._packages:
                    self._chained.add(alias.asname or first)
            return False
        base = absolute("." * node.level + (node.module or ""), package=self._package)
        for alias in node.names:
            self._add("import", f"{base}.{alias.name}".strip("."), node.lineno)
            self._names[alias.asname or alias.name] = f"{base}.{alias.name}"
        return False

    def _dotted(self, node: ast.AST) -> str:
        return dotted(node, self._names)

    def _relation(self, name: str, call: ast.Call) -> None:
        kind = _last(call.func)
        if kind == "GenericForeignKey":
            self._add("generic-foreign-key", "*", call.lineno, name)
        elif kind in FIELDS:
            target = _argument(call, 0, "to")
            self._add_model(FIELDS[kind], target, call.lineno, name)
            if kind == "ManyToManyField":
                self._add_model("many-to-many", _argument(call, None, "through"), call.lineno, name)

    def _add_model(self, kind: str, target: ast.expr | None, line: int, field: str = "") -> None:
        match target:
            case ast.Constant(value=str() as text) if "." in text:
                self._add(kind, text, line, field)
            case ast.Name() | ast.Attribute():
                if dotted := self._dotted(target):
                    self._add(kind, dotted, line, field)
            case _:
                pass

    def _call(self, node: ast.Call) -> bool:
        function = _last(node.func)
        if function in _CALLS:
            self._telling_call(node, function)
        return True

    def _telling_call(self, node: ast.Call, function: str) -> None:
        first = _argument(node, 0, _FIRST.get(function))
        if function in ("receiver", "connect"):
            self._add_model("signal-sender", _argument(node, None, "sender"), node.lineno)
        elif function == "getattr":
            self._settings(node)
        elif function == "extra":
            self._parts_of_sql(node)
        elif function == "get" and _argument(node, None, "app_label"):
            self._model_by_name(
                node, _argument(node, None, "app_label"), _argument(node, None, "model")
            )
        elif function in _CACHE:
            if self._is_cache(node.func):
                self._cache_keys(first or _argument(node, None, "key"))
        elif function in _MODEL_GETTERS:
            self._getter(node, first)
        elif isinstance(first, ast.Constant) and isinstance(first.value, str):
            self._told.add(first)
            name = first.value
            if function == "import_module":
                name = absolute(name, package=self._anchor(_argument(node, 1, "package")))
            self._add(_NAMING[function], name, node.lineno)

    def _anchor(self, package: ast.expr | None) -> str:
        match package:
            case ast.Constant(value=str() as name):
                return name
            case ast.Name(id="__name__"):
                return self.file.name
            case _:
                return self._package

    def _getter(self, node: ast.Call, first: ast.expr | None) -> None:
        match node.func:
            case ast.Attribute(value=ast.Call() as call) if _last(call.func) == "get_app_config":
                app = _argument(call, 0, "app_label")
                self._model_by_name(node, app, first or _ANY)
            case _ if first is not None:
                self._told.add(first)
                self._model_by_name(node, first, _argument(node, 1, "model_name"))
            case _:
                pass

    def _parts_of_sql(self, node: ast.Call) -> None:
        """`QuerySet.extra()` takes a statement in pieces, and tables by their bare names."""
        for keyword in node.keywords:
            for part in ast.walk(keyword.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    self._told.add(part)
                    bare = [part.value] if keyword.arg == "tables" else []
                    for table in bare or _TABLE.findall(part.value):
                        self._add("sql-text", table, part.lineno)

    def _settings(self, node: ast.Call) -> None:
        match node.args:
            case [base, ast.Constant(value=str() as name), *_]:
                if self._dotted(base) == "django.conf.settings":
                    self._add("setting", name, node.lineno)
            case _:
                pass

    def _model_by_name(self, node: ast.expr, app: ast.expr | None, model: ast.expr | None) -> None:
        match app, model:
            case ast.Constant(value=str() as label), ast.Constant(value=str() as name):
                self._add("model-by-name", f"{label}.{name}", node.lineno)
            case ast.Constant(value=str() as label), None:
                self._add("model-by-name", label, node.lineno)
            case ast.Constant(value=str() as label), _:
                self._add("model-by-name", f"{label}.*", node.lineno)
            case _:
                pass

    def _is_cache(self, function: ast.expr) -> bool:
        match function:
            case ast.Attribute(value=ast.Subscript(value=base) | base):
                return self._dotted(base).startswith("django.core.cache.")
            case _:
                return False

    def _cache_keys(self, key: ast.expr | None) -> None:
        if key is None:
            return
        match key:
            case ast.List(elts=keys) | ast.Tuple(elts=keys) | ast.Set(elts=keys):
                for one in keys:
                    self._cache_keys(one)
            case ast.Dict(keys=keys):
                for entry in keys:
                    self._cache_keys(entry)
            case _:
                if start := _start(key):
                    self._add("cache-key", start, key.lineno)

    def _text(self, text: str, line: int) -> None:
        if len(text) > 400 or "\n" in text or " " in text:
            if _STATEMENT.match(text):
                for table in _TABLE.findall(text):
                    self._add("sql-text", table, line)
        elif _DOTTED.fullmatch(text):
            self._add("dotted", text, line)
            self._add("template", text, line)
        elif _TEMPLATE.fullmatch(text):
            self._add("template", text, line)


def _last(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _first(node: ast.expr) -> str:
    """The name that a chain of attributes begins with; empty when it begins with none."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _argument(call: ast.Call, index: int | None, name: str | None) -> ast.expr | None:
    for keyword in call.keywords:
        if name is not None and keyword.arg == name:
            return keyword.value
    return call.args[index] if index is not None and index < len(call.args) else None


def _start(node: ast.expr) -> str:
    """The literal text that an expression surely begins with."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=[ast.Constant(value=str() as text), *_]):
            return text
        case ast.BinOp(left=left):
            return _start(left)
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            return _start(value)
        case _:
            return ""

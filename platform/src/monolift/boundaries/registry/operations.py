"""What migrations do to tables of another module."""

import ast
import functools
import inspect
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.db.migrations.operations import (
    AlterModelTable,
    CreateModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)

from monolift.boundaries.bindings import imported_names
from monolift.boundaries.project import StaticModule
from monolift.boundaries.registry import rules
from monolift.boundaries.registry.dependencies import migrations_on_disk
from monolift.boundaries.registry.graph import ModelGraph
from monolift.boundaries.registry.sources import Sources
from monolift.boundaries.sql.tables import tables
from monolift.boundaries.violations import Violation

_WORD = re.compile(r"\w+")


class _Touch(NamedTuple):
    what: str
    """Verb and object: `runs SQL on stock_item`."""
    owner: str
    """Label of the module it belongs to."""
    target: str
    line: int
    function: str = ""
    imported: bool = False
    """It is code, which an import statement of the migration names."""


def operation_violations(
    graph: ModelGraph, sources: Sources, *, imports: bool = True
) -> Iterator[Violation]:
    """Operations, SQL and functions of a module's migrations that reach into another module.

    With `imports`, code of the other module that they import too.
    """
    for app, migration in migrations_on_disk():
        module = graph.module_of_app(app)
        if module is None:
            continue
        for touch in _Reader(graph, sources, module, migration).touches(app):
            if touch.imported and not imports:
                continue
            owner = graph.project.by_label[touch.owner]
            yield Violation(
                module=module.label,
                owner=module.owner,
                rule=rules.MIGRATION_OPERATION,
                source=f"{migration.__module__}.{touch.function}".rstrip("."),
                target=touch.target,
                path=sources.shown(migration.__module__),
                line=touch.line,
                message=f"The migration {app}.{migration.name} {touch.what}, which belongs to "
                f"{owner.label}.",
                way_out=f"Move what changes tables of {owner.label} into a migration of "
                f"{owner.label}; copy its data in a command or task that asks {owner.label}.",
            )


class _Reader:
    """Reads one migration."""

    def __init__(
        self, graph: ModelGraph, sources: Sources, module: StaticModule, migration: Any
    ) -> None:
        self._graph = graph
        self._module = module
        self._migration = migration
        self._sources = sources
        file = sources.file_of(migration.__module__)
        self._tree = (sources.tree(file) if file else None) or ast.Module([], [])

    def touches(self, app: str) -> Iterator[_Touch]:
        label = self._migration.app_label
        if label != app and (owner := self._foreign_app(label)):
            yield _Touch(
                f"carries out its operations on the app {label}", owner, label, self._line(label)
            )
        yield from self._of(self._migration.operations)

    def _of(self, operations: Any) -> Iterator[_Touch]:
        for operation in operations:
            named = getattr(operation, "app_label", None)
            if isinstance(named, str) and (owner := self._foreign_app(named)):
                model = getattr(operation, "model_name", None) or getattr(operation, "name", "")
                yield _Touch(
                    f"carries out {type(operation).__name__} on {named}.{model}",
                    owner,
                    f"{named}.{model}",
                    self._line(named),
                )
            match operation:
                case SeparateDatabaseAndState():
                    yield from self._of(operation.database_operations)
                    yield from self._of(operation.state_operations)
                case RunSQL():
                    for sql in (*_statements(operation.sql), *_statements(operation.reverse_sql)):
                        yield from self._sql(sql, self._line_of_sql(sql), "")
                case RunPython():
                    for code in (operation.code, operation.reverse_code):
                        if code is not None:
                            yield from self._python(code)
                case CreateModel():
                    yield from self._table(operation, operation.options.get("db_table"))
                case AlterModelTable():
                    yield from self._table(operation, operation.table)
                case _:
                    continue

    def _table(self, operation: Any, table: str | None) -> Iterator[_Touch]:
        owner = self._foreign_table(table or "")
        if table and owner:
            what = f"gives {operation.name} the table {table}"
            yield _Touch(what, owner, table, self._line(table))

    def _sql(self, sql: str, line: int, function: str) -> Iterator[_Touch]:
        touched = {word for word in _WORD.findall(sql.lower()) if self._foreign_table(word)}
        if touched:  # the parser is slow to load, and most statements are on own tables
            read = tables(sql, vendor=_vendor())
            unread = " ".join(read.unread).lower()
            touched &= {name.lower() for name in read.read | read.written} | {
                *_WORD.findall(unread)
            }
        for table in sorted(touched):
            owner = self._foreign_table(table)
            yield _Touch(f"runs SQL on {table}", owner, table, line, function)

    def _python(self, code: Any) -> Iterator[_Touch]:
        while isinstance(code, functools.partial):
            code = code.func
        code = inspect.unwrap(code)
        name = getattr(code, "__qualname__", "")
        home = getattr(code, "__module__", "") or ""
        if home != self._migration.__module__:
            owner = self._graph.project.module_at(home)
            if owner is not None and owner.label != self._module.label:
                yield _Touch(
                    f"runs {home}.{name}",
                    owner.label,
                    f"{home}.{name}",
                    self._line_of_name(name),
                    imported=True,
                )
            return
        pending, seen = [name.partition(".<locals>")[0]], set()
        lambdas = getattr(getattr(code, "__code__", None), "co_firstlineno", 0)
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            for node in _functions(self._tree, name, lambdas):
                yield from self._function(node, "" if name == "<lambda>" else name)
                pending += [
                    one.id
                    for one in ast.walk(node)
                    if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)
                ]

    def _function(self, node: ast.AST, name: str) -> Iterator[_Touch]:
        here = self._migration.__module__
        known = imported_names(self._tree, here) | imported_names(node, here)
        told: set[str] = set()
        for one in ast.walk(node):
            match one:
                case ast.Call(func=ast.Attribute(attr="get_model"), lineno=line):
                    app, model = _model(one)
                    if owner := self._foreign_app(app):
                        yield _Touch(
                            f"uses the model {app}.{model}", owner, f"{app}.{model}", line, name
                        )
                case ast.Constant(value=str() as text, lineno=line):
                    if " " in text:
                        yield from self._sql(text, line, name)
                case ast.Import(names=names, lineno=line):
                    for alias in names:
                        yield from self._code(alias.name, line, name, told)
                case ast.ImportFrom(names=names, lineno=line):
                    for alias in names:
                        dotted = known.get(alias.asname or alias.name, "")
                        yield from self._code(dotted, line, name, told)
                case ast.Name(id=used, lineno=line) if used in known:
                    yield from self._code(known[used], line, name, told)
                case _:
                    continue

    def _code(self, dotted: str, line: int, function: str, told: set[str]) -> Iterator[_Touch]:
        owner = self._graph.project.module_at(dotted)
        if owner is not None and owner.label != self._module.label and dotted not in told:
            told.add(dotted)
            yield _Touch(f"imports {dotted}", owner.label, dotted, line, function, imported=True)

    def _foreign_app(self, label: str) -> str:
        owner = self._graph.module_of_app(label)
        return owner.label if owner is not None and owner.label != self._module.label else ""

    def _foreign_table(self, name: str) -> str:
        label = self._graph.tables.get(name.strip('"').rpartition('"."')[2].lower(), "")
        return label if label != self._module.label else ""

    def _line_of_sql(self, sql: str) -> int:
        return self._line(sql) if sql else 1

    def _line_of_name(self, name: str) -> int:
        for node in ast.walk(self._tree):
            match node:
                case ast.Name(id=found, lineno=line) | ast.Attribute(attr=found, lineno=line):
                    if found == name:
                        return line
                case _:
                    continue
        return 1

    def _line(self, text: str) -> int:
        """The line of a literal; that of `operations` where it is computed."""
        operations = 1
        for node in ast.walk(self._tree):
            match node:
                case ast.Constant(value=str() as value, lineno=line) if value == text:
                    return line
                case ast.Assign(targets=[ast.Name(id="operations")], lineno=line):
                    operations = line
                case _:
                    continue
        return operations


def _functions(tree: ast.AST, name: str, lambdas: int) -> Iterator[ast.AST]:
    last = name.rpartition(".")[2]
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found) if found == last:
                yield node
            case ast.Lambda(lineno=line) if name == "<lambda>" and line == lambdas:
                yield node
            case _:
                continue


def _statements(sql: Any) -> Iterator[str]:
    """The statements of RunSQL's argument: text, or a list of texts and of (text, parameters)."""
    match sql:
        case str():
            yield sql
        case list() | tuple():
            for one in sql:
                text = one[0] if isinstance(one, list | tuple) and one else one
                if isinstance(text, str):
                    yield text
        case _:
            return


def _model(call: ast.Call) -> tuple[str, str]:
    given = {word.arg: word.value for word in call.keywords}
    texts = [
        node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        for node in (
            *call.args,
            *(given[key] for key in ("app_label", "model_name") if key in given),
        )
    ]
    if len(texts) == 1:
        app, _, model = texts[0].partition(".")
        return app, model
    return (texts[0], texts[1]) if texts else ("", "")


def _vendor() -> str:
    engine = str(settings.DATABASES.get("default", {}).get("ENGINE", "")).rpartition(".")[2]
    return {"sqlite3": "sqlite", "postgis": "postgresql", "mysql": "mysql"}.get(
        engine, "postgresql"
    )

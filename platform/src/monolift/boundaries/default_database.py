"""What in a syntax tree means Django's default database, and what to write instead."""

import ast
from collections.abc import Iterator

WAYS_OUT = {
    "transaction": "Write `from monolift import atomic` and `with atomic():`.",
    "connection": "Use a queryset, or `connections[Model.objects.db]` for a statement by hand.",
    "DEFAULT_DB_ALIAS": "Ask the model: `Model.objects.db` is the alias of this module.",
    "default": "Ask the model: `connections[Model.objects.db]` follows this module.",
}


def names_of_the_default_database(node: ast.AST) -> Iterator[tuple[int, str, str]]:
    """(line, name as written, key of WAYS_OUT) of what one node of a tree names."""
    match node:
        case ast.ImportFrom(module="django.db", names=names):
            for alias in names:
                if alias.name in WAYS_OUT:
                    yield alias.lineno, f"django.db.{alias.name}", alias.name
        case ast.ImportFrom(module="django.db.transaction", names=names, lineno=line):
            # The mark on a view takes it out of ATOMIC_REQUESTS, and opens nothing itself.
            if any(alias.name != "non_atomic_requests" for alias in names):
                yield line, "django.db.transaction", "transaction"
        case ast.ImportFrom(module="django", names=names, lineno=line):
            if any(alias.name == "db" for alias in names):
                yield line, "django.db", "transaction"
        case ast.Import(names=names, lineno=line):
            if any(alias.name == "django.db.transaction" for alias in names):
                yield line, "django.db.transaction", "transaction"
        case ast.Attribute(
            value=ast.Attribute(value=ast.Name(id="django"), attr="db"), attr=name, lineno=line
        ) if name in WAYS_OUT:
            yield line, f"django.db.{name}", name
        case ast.Subscript(
            value=ast.Name(id="connections") | ast.Attribute(attr="connections"),
            slice=ast.Constant(value="default"),
            lineno=line,
        ):
            yield line, 'connections["default"]', "default"
        case _:
            pass

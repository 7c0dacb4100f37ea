"""Code that runs as a module does, for the tests of the SQL guard."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from monolift.registry.scope import Scope, entered
from monolift.registry.topology import topology


@contextmanager
def on_behalf(module: str | None, operation: str = "") -> Iterator[None]:
    with entered(Scope(module, None, None, operation or f"{module}.do")):
        yield


def run(sql: str, *parameters: Any, module: str = "stock") -> None:
    """On the database of `module`, where its own tables are."""
    with connections[topology().alias(module)].cursor() as cursor:
        cursor.execute(sql, parameters)

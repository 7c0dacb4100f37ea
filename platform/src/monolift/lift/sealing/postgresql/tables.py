"""What belongs to a module in a database: its tables, and its rows in the platform's."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps

from monolift.boundaries.sql.ownership import bare, ownership

PLATFORM: Mapping[str, frozenset[str]] = {
    "monolift_outbox": frozenset(),
    "monolift_delivery": frozenset({"lease_until", "token"}),
    "monolift_key": frozenset({"lease_until"}),
    "monolift_saga": frozenset({"lease_until", "token"}),
    "monolift_arrival": frozenset(),
}
"""The platform's tables with rows of modules; and what says who works on a row at the moment, which
is ended when the rows change their place.
"""
MARKER = "monolift_marker"
"""Shows when all that was written before has arrived."""


def own_tables(module: str) -> list[str]:
    """The tables of a module's models, sorted."""
    owners = ownership()
    found = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        and not model._meta.proxy
        and owners.owner(bare(model._meta.db_table)) == module
    }
    return sorted(found)


def quoted(name: str) -> str:
    """A name as an identifier; Django lets a table's name hold its schema: `sales"."order`."""
    return f'"{name}"'


def literal(text: str) -> str:
    """A text in a statement."""
    return "'" + text.replace("'", "''") + "'"


def owned_sequences(session: Any, tables: list[str]) -> list[tuple[str, str, str]]:
    """Sequences that number rows: table, column, sequence as SQL names it."""
    rows = session.execute(
        "SELECT c.oid::regclass::text, a.attname, s.oid::regclass::text FROM pg_depend d "
        "JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' "
        "JOIN pg_class c ON c.oid = d.refobjid "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid "
        "WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') "
        "AND c.oid = ANY(%s::regclass[]) ORDER BY 1, 2",
        ([quoted(table) for table in tables],),
    )
    return [tuple(row) for row in rows.fetchall()]

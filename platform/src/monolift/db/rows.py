"""Rows by the million: PostgreSQL's COPY, elsewhere one prepared statement."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from typing import Any

import msgspec
from django.db import connections, models

type Convert = Callable[[Any], Any]


_encode = msgspec.json.Encoder().encode


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows into a model's table, as part of the open transaction if there is one.

    `columns` are attribute names (`order_id` for a foreign key); the others get their default, and
    an automatic key its number. Several times as fast as `bulk_create`, and it knows less: no
    instances, no conflicts, no database defaults, plain values only (str, int, bool, UUID, datetime
    with a timezone, and for JSON whatever msgspec encodes, a Dto for one).
    """
    connection: Any = connections[model._default_manager.db]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    for name in columns:
        if name not in fields:
            raise ValueError(f"{model.__name__} has no column {name}: give attribute names.")
    rest = {
        name: field.get_default()
        for name, field in fields.items()
        if name not in columns and not isinstance(field, models.AutoField)
    }
    chosen = [*columns, *rest]
    added = tuple(
        value if value is None else (_converter(fields[name], connection.vendor) or _same)(value)
        for name, value in rest.items()
    )
    converters = [
        (place, convert)
        for place, name in enumerate(columns)
        if (convert := _converter(fields[name], connection.vendor))
    ]

    def plain() -> Iterable[list[Any]]:
        for row in rows:
            values = [*row, *added]
            for place, convert in converters:
                if values[place] is not None:
                    values[place] = convert(values[place])
            yield values

    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    names = ", ".join(quote(fields[name].column) for name in chosen)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for values in plain():
                    copy.write_row(values)
        else:
            marks = ", ".join(["%s"] * len(chosen))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", plain())


def _same(value: Any) -> Any:
    return value


def _converter(field: "models.Field[Any, Any]", vendor: str) -> Convert | None:
    """What makes a value what the driver stores, if it is not that already; never for None."""
    if isinstance(field, models.JSONField):
        return lambda value: _encode(value).decode()
    if vendor == "postgresql":
        return None
    if isinstance(field, models.UUIDField):
        return lambda value: value.hex
    if isinstance(field, models.ForeignKey):
        return _converter(field.target_field, vendor)
    if isinstance(field, models.DateTimeField):
        # As Django stores it on SQLite: in UTC, without saying so.
        return lambda value: str(value if value.tzinfo is UTC else value.astimezone(UTC))[:-6]
    return None

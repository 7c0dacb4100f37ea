"""Closing and opening a module in a SQLite file. Every function runs in a transaction of the file.

A file has one writer at a time, so whoever holds it is the fence. What is left is to refuse those
who do not know yet, before the module is opened in a file and after it was closed: its tables have
another name then, which stops readers as well, and triggers stop rows of the module in the
platform's tables. That the triggers read the fence's row is safe here, and only here: no writer of
a file has an older view of it than the last commit.
"""

from collections.abc import Callable, Sequence
from typing import Any

from monolift.lift.movers.sqlite.tables import Table, quoted, renaming
from monolift.registry.fence import MARK

type Execute = Callable[..., Any]


def close(
    execute: Execute, *, module: str, tables: Sequence[Table], epoch: int, others: bool
) -> None:
    """Refuse whoever still comes for the module here.

    With `others`, whose work goes on in this file, what is to be done for the module is taken out
    of their way: it has been copied. What is left is history, taken away later.
    """
    for table in tables:
        if table.module is None:
            execute(renaming(table.name, table.gone))
            continue
        if others and (rest := _ACTIVE.get(table.name)):
            execute(f"DELETE FROM {quoted(table.name)} WHERE module = '{module}' AND {rest}")
    _mark(execute, module, epoch, is_open=False)


def reopen(execute: Execute, *, module: str, tables: Sequence[Table], epoch: int) -> None:
    """Take a `close` without others back."""
    for table in tables:
        if table.module is None:
            execute(renaming(table.gone, table.name))
    _mark(execute, module, epoch, is_open=True)


def guard(execute: Execute, *, module: str, tables: Sequence[Table]) -> None:
    """Make ready to refuse the module's rows in the platform's tables: once it is closed here."""
    for table in tables:
        for event in ("INSERT", "UPDATE") if table.module else ():
            execute(
                f"CREATE TRIGGER IF NOT EXISTS {quoted(_guard(module, table, event))} "
                f"BEFORE {event} ON {quoted(table.name)} WHEN NEW.module = '{module}' AND "
                f"(SELECT open FROM monolift_fence WHERE module = '{module}') = 0 "
                f"BEGIN SELECT RAISE(ABORT, '{MARK}'); END"
            )


def unguard(execute: Execute, *, module: str, tables: Sequence[Table]) -> None:
    """Take back what `guard` made."""
    for table in tables:
        for event in ("INSERT", "UPDATE") if table.module else ():
            execute(f"DROP TRIGGER IF EXISTS {quoted(_guard(module, table, event))}")


def take_over(execute: Execute, *, module: str, tables: Sequence[Table], epoch: int) -> None:
    """Open the module here: nobody holds what was under way elsewhere, it is due now."""
    for table in tables:
        if table.module is None:
            execute(renaming(table.coming, table.name))
    for table in tables:
        for statement in table.triggers:
            execute(statement)
    _mark(execute, module, epoch, is_open=True)
    for name, (change, held) in RELEASED.items():
        execute(f"UPDATE {name} SET {change} WHERE {held} AND module = '{module}'")


# Rows that a relay or a worker would take up.
_ACTIVE = {
    "monolift_outbox": "relayed_at IS NULL",
    "monolift_delivery": "state IN ('pending', 'waiting', 'failed')",
    "monolift_saga": "status IN ('running', 'undoing', 'waiting', 'stuck')",
    "monolift_arrival": "1",
}
RELEASED = {
    "monolift_delivery": ("lease_until = NULL", "state = 'pending'"),
    "monolift_saga": ("lease_until = NULL", "lease_until IS NOT NULL"),
    "monolift_key": ("lease_until = '1970-01-01 00:00:00.000000'", "state = 'started'"),
}
"""What is set in which rows: who held them can write nothing any more, so no lease need run out."""


def _guard(module: str, table: Table, event: str) -> str:
    return f"monolift_fence_{module}_{table.name}_{event.lower()}"


def _mark(execute: Execute, module: str, epoch: int, *, is_open: bool) -> None:
    execute(
        "INSERT INTO monolift_fence (module, epoch, open) "
        f"VALUES ('{module}', {epoch:d}, {is_open:d}) ON CONFLICT (module) DO UPDATE "
        "SET epoch = excluded.epoch, open = excluded.open"
    )

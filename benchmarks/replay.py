"""The statements of a real checkout, sent again by hand with other ids."""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID, uuid4

from django.db import connections, transaction
from django.db.transaction import Atomic

type Parameters = tuple[Any, ...]

_ID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}(?![0-9a-f])"
)
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_PLATFORM = re.compile(r"\bmonolift_")
_WORD = re.compile(r"\w+")
_SAVEPOINT = re.compile(r'"s\d+_x\d+"')
_TABLES = ("monolift_", "orders_", "inventory_", "payments_", "pricing_")


class Recording:
    """What ran: transactions, each with its statements; a statement outside one stands alone."""

    def __init__(self) -> None:
        self.units: list[tuple[bool, list[tuple[str, Parameters]]]] = []

    @property
    def statements(self) -> int:
        """How many statements."""
        return sum(len(statements) for _, statements in self.units)

    @property
    def transactions(self) -> int:
        """How many transactions."""
        return sum(inside for inside, _ in self.units)

    def again(self, known: dict[UUID, UUID]) -> "Recording":
        """The same with every id replaced: by the one in `known`, else by a new one."""
        replaced = dict(known)
        fresh = Recording()
        fresh.units = [
            (inside, [(sql, _other(values, replaced)) for sql, values in unit])
            for inside, unit in self.units
        ]
        return fresh

    def run(self, alias: str = "default") -> None:
        """Send it."""
        for inside, unit in self.units:
            if inside:
                with transaction.atomic(using=alias):
                    send(alias, unit)
            else:
                send(alias, unit)

    @property
    def platform(self) -> list[tuple[str, Parameters]]:
        """The statements on the library's tables only."""
        return [one for _, unit in self.units for one in unit if _PLATFORM.search(one[0])]

    def shape(self) -> list[tuple[bool, list[str]]]:
        """What it does to which tables, without values: equal for equal work."""
        return [(inside, [_shape(sql) for sql, _ in unit]) for inside, unit in self.units]


def send(alias: str, statements: Iterable[tuple[str, Parameters]]) -> None:
    """Send statements through Django's raw cursor."""
    with connections[alias].cursor() as cursor:
        for sql, parameters in statements:
            cursor.execute(sql, parameters)
            if cursor.description is not None:
                cursor.fetchall()


def _shape(sql: str) -> str:
    words = _WORD.findall(_SAVEPOINT.sub("", sql))
    verb = words[0].upper()
    tables = [word for word in words if word.startswith(_TABLES)]
    return f"{verb} {tables[0]}" if tables else verb


@contextmanager
def recorded(alias: str = "default") -> Iterator[Recording]:
    """Record what the block does on one database."""
    recording = Recording()
    connection = connections[alias]

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        statement = (sql, tuple(parameters or ()))
        if sql.startswith("BEGIN"):  # SQLite's goes through Django's cursor
            return execute(sql, parameters, many, context)
        if not connection.in_atomic_block:
            recording.units.append((False, [statement]))
        else:
            recording.units[-1][1].append(statement)
        return execute(sql, parameters, many, context)

    with ExitStack() as stack:
        stack.enter_context(_outermost(connection, lambda: recording.units.append((True, []))))
        stack.enter_context(connection.execute_wrapper(note))
        yield recording


@contextmanager
def _outermost(connection: Any, began: Any) -> Iterator[None]:
    """Call `began` whenever a transaction opens that is not a savepoint."""
    entered = Atomic.__enter__

    def enter(self: Atomic) -> None:
        if not connection.in_atomic_block:
            began()
        entered(self)

    Atomic.__enter__ = enter  # type: ignore[method-assign]  # put back below
    try:
        yield
    finally:
        Atomic.__enter__ = entered  # type: ignore[method-assign]  # as it was


def _other(value: Any, replaced: dict[UUID, UUID]) -> Any:
    if isinstance(value, UUID):
        return replaced.setdefault(value, uuid4())
    if isinstance(value, list | tuple):
        return type(value)(_other(one, replaced) for one in value)
    if isinstance(value, str):
        text = _HASH.sub(lambda _: uuid4().hex + uuid4().hex, value)
        return _ID.sub(lambda found: _text(found, replaced), text)
    return value


def _text(found: re.Match[str], replaced: dict[UUID, UUID]) -> str:
    other = replaced.setdefault(UUID(found[0]), uuid4())
    return str(other) if found[1] else other.hex

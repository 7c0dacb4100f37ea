"""A statement that crosses the boundary of a module, and what is said about it."""

import sys
from types import FrameType

import msgspec

from monolift.boundaries.places import shown
from monolift.boundaries.rules import rule
from monolift.kernel import MonoliftError
from monolift.registry.modules import module_of, modules

FOREIGN_TABLE = rule(
    "sql-table",
    title="A statement on a table of another module",
    why="The table's module cannot change its table any more without breaking code it does not "
    "know, its rules are passed by, and the day it has a database of its own the statement fails.",
    fix="Ask the owner through its interface, bound in requires.py with use(); to write, let it "
    "offer a command. What you need all the time, keep a copy of, from the owner's events.",
)
JOIN = rule(
    "sql-join",
    title="A join across modules",
    why="Two modules that meet in one statement must share a database for ever.",
    fix="Read your own rows, then ask the other module for the rest by their ids, all in one call.",
)
TRANSACTION = rule(
    "sql-transaction",
    title="One transaction that writes two modules",
    why="It is one commit only while both modules share a database; apart, one of the two writes "
    "can be lost.",
    fix="Write the other module's rows by its command, before the transaction or as a saga's step; "
    "or publish an event that it handles.",
)


class Crossing(msgspec.Struct, frozen=True):
    """What was found: `module` touches `table` of `owner`, by `rule`."""

    rule: str
    module: str
    owner: str
    table: str
    operation: str
    statement: str
    """Its shape: no value that anybody entered."""
    writes: bool
    own_table: str = ""


class BoundaryCrossed(MonoliftError):
    """A statement touches what belongs to another module. It was not sent to the database."""

    def __init__(self, crossing: Crossing) -> None:
        super().__init__(sentence(crossing))
        self.crossing = crossing


def sentence(crossing: Crossing) -> str:
    """Who touches what, where, and the way out."""
    who = crossing.operation or crossing.module
    table = f"{crossing.table}, a table of {crossing.owner}"
    match crossing.rule:
        case JOIN.name:
            what = f"joins {crossing.own_table} with {table}, in one statement"
        case TRANSACTION.name:
            what = f"writes {table}, in a transaction that also writes {crossing.own_table}"
        case _:
            what = f"{'writes' if crossing.writes else 'reads'} {table}"
    return (
        f"{who} {what}{_place()}. {_way_out(crossing)} [{crossing.rule}] "
        f"Statement: {_short(crossing.statement)}"
    )


def _way_out(crossing: Crossing) -> str:
    owner = modules().get(crossing.owner)
    asker = modules().get(crossing.module)
    if owner is None:
        return "Ask its owner through an interface."
    if crossing.rule == TRANSACTION.name:
        return (
            f"One commit, one module: let {crossing.owner} write by a command of its interface, "
            "called before the transaction or as a step of a saga, or by an event it handles."
        )
    names = [f"{one.__qualname__} ({one.__module__})" for one in owner.provides]
    if not names:
        return f"{crossing.owner} provides no interface yet: declare one in {owner.name}.interface."
    kind = "command" if crossing.writes else "query"
    name = next(iter(owner.provides)).__qualname__
    where = f"{asker.name.replace('.', '/')}/requires.py" if asker else "requires.py"
    return (
        f"Use a {kind} of {' or '.join(names)}: bind it with use({name}) in {where} and call it "
        "outside your transaction."
    )


def _place() -> str:
    """The innermost line of a module's code that led here: ` at modules/orders/queries.py:41`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if module_of(str(frame.f_globals.get("__name__", ""))) is not None:
            from pathlib import Path

            return f" at {shown(path=Path(frame.f_code.co_filename))}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _short(statement: str) -> str:
    return statement if len(statement) <= 300 else f"{statement[:297]}..."

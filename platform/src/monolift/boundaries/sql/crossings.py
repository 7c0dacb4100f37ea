"""A statement that crosses the boundary of a module, and what is said about it."""

import sys
from pathlib import Path
from types import FrameType

import msgspec

from monolift.boundaries.places import shown
from monolift.boundaries.sql.rules import JOIN, TRANSACTION
from monolift.kernel import MonoliftError
from monolift.registry.modules import module_of, modules


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
    read: bool = True
    """False when the statement cannot be read: its words name the table."""


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
        case _ if not crossing.read:
            what = f"names {table}, in a statement that cannot be read"
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
            return f" at {shown(path=Path(frame.f_code.co_filename))}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _short(statement: str) -> str:
    return statement if len(statement) <= 300 else f"{statement[:297]}..."

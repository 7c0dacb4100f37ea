"""Counts of what the sampling guard finds, in this process: in the log and in the call matrix."""

from collections import Counter
from typing import NamedTuple

from monolift.boundaries.sql.crossings import Crossing
from monolift.observe.logs import logger
from monolift.observe.matrix import row

_log = logger("monolift.boundaries")


class Key(NamedTuple):
    """What is counted as one."""

    rule: str
    module: str
    owner: str
    table: str


_found: Counter[Key] = Counter()
_unread: Counter[str] = Counter()


def count(crossing: Crossing, *, rate: float) -> None:
    """Count a crossing; the 1st, 10th, 100th ... of its kind is logged.

    In the call matrix it is a call of `sql:<table>`.
    """
    key = Key(crossing.rule, crossing.module, crossing.owner, crossing.table)
    _found[key] += 1
    cell = row(f"sql:{crossing.table}")[crossing.module]
    cell.calls = next(cell.ticket)
    if _power_of_ten(_found[key]):
        _log.warning(
            "a statement crosses the boundary of a module",
            rule=crossing.rule,
            by=crossing.module,
            table=crossing.table,
            table_of=crossing.owner,
            found=_found[key],
            rate=rate,
            statement=crossing.statement[:300],
        )


def count_unread(shape: str) -> None:
    """Count a statement that cannot be judged, because nobody can read it."""
    if len(_unread) >= 1000 and shape not in _unread:
        shape = ""
    _unread[shape] += 1
    if _power_of_ten(_unread[shape]):
        _log.info("a statement cannot be read", found=_unread[shape], statement=shape[:300])


def found() -> dict[Key, int]:
    """What was found since the process began, as often as it was."""
    return dict(_found)


def unread() -> dict[str, int]:
    """Shapes of statements that could not be judged; "" for those beyond a thousand."""
    return dict(_unread)


def clear() -> None:
    """Start counting anew."""
    _found.clear()
    _unread.clear()


def _power_of_ten(number: int) -> bool:
    return str(number).rstrip("0") == "1"

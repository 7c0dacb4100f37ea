"""The tables of a statement, read from its syntax tree."""

import contextlib
import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

_DIALECTS = {"postgresql": "postgres"}
# What a syntax tree does not need: it would hide the statement from the parser.
_PREFIX = re.compile(
    r"^\s*(?:EXPLAIN\s*(?:\([^)]*\)|QUERY\s+PLAN|(?:ANALYZE|VERBOSE|\s)*)\s*"
    r"|DECLARE\s+\S+\s.*?\bCURSOR\b.*?\bFOR\b)\s*(?=SELECT|WITH|INSERT|UPDATE|DELETE|REPLACE)",
    re.IGNORECASE | re.DOTALL,
)
_REPLACE = re.compile(r"^\s*REPLACE\s+INTO\b", re.IGNORECASE)


class Tables(msgspec.Struct, frozen=True):
    """Names as they are written, without schema; what is read and what is written."""

    read: frozenset[str]
    written: frozenset[str]
    unread: tuple[str, ...] = ()
    """The statements that sqlglot cannot read."""


def tables(sql: str, *, vendor: str) -> Tables:
    """The tables of one or several statements.

    Aliases and the names of common table expressions are no tables. `vendor` is Django's name of
    the database.
    """
    import sqlglot
    from sqlglot import exp

    text = _REPLACE.sub("INSERT INTO ", _PREFIX.sub("", sql))
    try:
        with _quiet():
            trees = sqlglot.parse(text, dialect=_DIALECTS.get(vendor, vendor))
        read: set[str] = set()
        written: set[str] = set()
        unread: list[str] = []
        for tree in trees:
            if tree is None:
                continue
            if isinstance(tree, exp.Command):
                unread.append(tree.sql())
                continue
            targets = {id(target) for node in tree.walk() for target in _targets(node, exp)}
            for table in _real_tables(tree, exp):
                (written if id(table) in targets else read).add(table.name)
    except Exception:
        # Whatever the parser stumbles over: the statement itself may be fine.
        return Tables(frozenset(), frozenset(), (sql,))
    return Tables(frozenset(read), frozenset(written), tuple(unread))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """sqlglot warns of what it cannot read; here that is an answer like any other."""
    log = logging.getLogger("sqlglot")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _real_tables(tree: Any, exp: Any) -> Iterator[Any]:
    """Tables that no common table expression in sight stands for, without recursion."""
    waiting: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        node, hidden = waiting.pop()
        if isinstance(node, exp.Table) and node.name and (node.db or node.name not in hidden):
            yield node
        if isinstance(node, exp.Lock):
            continue  # FOR UPDATE OF names what FROM named already
        inner = node.args.get("with_")
        if inner is not None:
            names = [expression.alias for expression in inner.expressions]
            seen = hidden | frozenset(names) if inner.args.get("recursive") else hidden
            for name, expression in zip(names, inner.expressions, strict=True):
                waiting.append((expression, seen))
                seen |= {name}
            hidden = seen
        waiting += [(child, hidden) for child in _children(node) if child is not inner]


def _children(node: Any) -> Iterable[Any]:
    return node.iter_expressions()  # type: ignore[no-any-return]  # sqlglot's own iterator


def _targets(node: Any, exp: Any) -> Iterator[Any]:
    """The tables that a node of the tree writes or changes."""
    match node:
        case exp.Insert() | exp.Update() | exp.Delete() | exp.Merge() | exp.Create() | exp.Alter():
            found = [node.this, *(node.args.get("tables") or ())]
        case exp.Copy() if node.args.get("kind"):
            found = [node.this]
        case exp.Drop():
            found = [node.this, *(node.args.get("tables") or ())]
        case exp.TruncateTable():
            found = node.expressions
        case exp.Into():
            found = [node.this]
        case _:
            return
    for target in found:
        while target is not None and not isinstance(target, exp.Table):
            table = target.args.get("table")  # of an index
            target = table if table is not None else target.args.get("this")
            if not isinstance(target, exp.Expression):
                break
        if isinstance(target, exp.Table):
            yield target

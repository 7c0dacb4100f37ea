"""The guard on each connection: an `execute_wrapper` that lets most statements pass at once.

A statement whose words name tables of the running module only is past after three look-ups. Only
one that names another module's table, or writes, is looked at more closely.
"""

import itertools
import warnings
from collections.abc import Callable
from threading import get_ident
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import connections
from django.db.backends.signals import connection_created

from monolift.boundaries.sql.attribution import on_behalf_of
from monolift.boundaries.sql.crossings import BoundaryCrossed, Crossing, sentence
from monolift.boundaries.sql.facts import Facts, cache
from monolift.boundaries.sql.rules import FOREIGN_TABLE, JOIN, TRANSACTION
from monolift.boundaries.sql.tally import count, count_unread
from monolift.observe.logs import logger
from monolift.registry.scope import Scope, current, get_current
from monolift.registry.settings import setting, sql_guard
from monolift.registry.sql import Unconcerned
from monolift.registry.transactions import GroupAtomic

_log = logger("monolift.boundaries")

type Execute = Callable[[Any, Any, bool, Any], Any]


class Written:
    """The modules that one transaction has written, each with the statement that did.

    It waits among the connection's commit hooks: so it ends with the transaction, and stays when a
    savepoint is rolled back.
    """

    __slots__ = ("mark", "modules", "told")

    def __init__(self, mark: Any = None) -> None:
        self.mark = mark
        self.modules: dict[str, Facts] = {}
        self.told = False

    def __call__(self) -> None:
        """As a hook it has nothing to do."""


class Guard(Unconcerned):
    """Judges the statements of one connection."""

    __slots__ = (
        "_chosen",
        "_in_test",
        "_period",
        "_rate",
        "_refuses",
        "_texts",
        "_ticket",
        "_unit",
    )

    def __init__(self, vendor: str, *, refuses: bool, rate: float) -> None:
        self._refuses = refuses
        self._rate = rate
        self._period = max(round(1 / rate), 1)
        self._ticket = itertools.count()
        self._texts = cache(vendor).texts
        self._unit: Any = None
        self._chosen = False
        self._in_test = Written()

    def judge(self, execute: Execute, sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Send a statement on, unless it crosses a boundary."""
        try:
            facts = self._texts[sql]
        except (KeyError, TypeError):
            facts = self._learn(sql, context["connection"])
        owner = facts.owner
        if owner is not None:
            running = get_current(None)
            if running is not None:
                scope = running.scope if running.thread == get_ident() else current()
                if facts.may_write or scope.module != owner:
                    self._look(facts, scope, context["connection"])
            elif facts.may_write:
                self._look(facts, None, context["connection"])
        return execute(sql, params, many, context)

    def sample(self, execute: Execute, sql: Any, params: Any, many: bool, context: Any) -> Any:
        """Judge one transaction in so many, and one in so many statements outside of them."""
        connection = context["connection"]
        # Django makes a new list of hooks at the end of each transaction.
        unit = connection.run_on_commit if connection.atomic_blocks else None
        if unit is None or unit is not self._unit:
            self._unit = unit
            self._chosen = not next(self._ticket) % self._period
        if self._chosen:
            try:
                self.judge(_send_nothing, sql, params, many, context)
            except Exception:
                _log.exception("the SQL guard failed")  # which must not fail the statement
        return execute(sql, params, many, context)

    def _learn(self, sql: Any, connection: Any) -> Facts:
        known = cache(connection.vendor)
        return known.learn(sql)

    def _look(self, facts: Facts, scope: Scope | None, connection: Any) -> None:
        module = on_behalf_of(scope, connection)
        operation = scope.operation if scope is not None else ""
        if module is not None and facts.owner != module and not self._own(facts, module, operation):
            return
        if facts.may_write and connection.atomic_blocks:
            self._write(facts, module, operation, connection)

    def _own(self, facts: Facts, module: str, operation: str) -> bool:
        """False when something was found, or cannot be known."""
        touched = facts.touched()
        foreign = [owner for owner in touched.all if owner != module]
        if not foreign:
            return self._own_words(facts, touched.unread, module, operation)
        owner = next((one for one in foreign if one in touched.written), foreign[0])
        others = [table for other, table in touched.all.items() if other != owner]
        self._found(
            Crossing(
                JOIN.name if others else FOREIGN_TABLE.name,
                module,
                owner,
                touched.all[owner],
                operation,
                facts.shape,
                owner in touched.written,
                others[0] if others else "",
            )
        )
        return False

    def _own_words(self, facts: Facts, unread: dict[str, str], module: str, operation: str) -> bool:
        """Of what cannot be read: it touches the tables of the one module that its words name."""
        if not unread.keys() - {module}:
            return True
        if len(unread) > 1:
            count_unread(facts.shape)
            return False
        ((owner, table),) = unread.items()
        writes = facts.may_write
        self._found(
            Crossing(
                FOREIGN_TABLE.name, module, owner, table, operation, facts.shape, writes, read=False
            )
        )
        return False

    def _write(self, facts: Facts, module: str | None, operation: str, connection: Any) -> None:
        written = self._written(connection)
        if written is None or (facts.owner in written.modules and len(written.modules) == 1):
            return
        if facts.owner:
            written.modules.setdefault(facts.owner, facts)
        else:
            for owner in facts.touched().written:
                written.modules.setdefault(owner, facts)
        if len(written.modules) > 1 and module is not None and not written.told:
            self._judge_transaction(written, facts, module, operation)

    def _judge_transaction(
        self, written: Written, facts: Facts, module: str, operation: str
    ) -> None:
        """Words may deceive: what each statement writes is read before anything is said."""
        certain: dict[str, str] = {}
        for owner, statement in list(written.modules.items()):
            touched = statement.touched()
            if owner not in touched.written:
                del written.modules[owner]
            else:
                certain[owner] = touched.written[owner]
        if len(certain) < 2:
            return
        last = facts.touched()
        new = [owner for owner in certain if owner in last.written]
        owner = next((one for one in new if one != module), next(iter(new), module))
        if owner == module or owner not in certain:
            owner = next(one for one in certain if one != module)
        other, table = next((one, name) for one, name in certain.items() if one != owner)
        written.told = True
        self._found(
            Crossing(
                TRANSACTION.name,
                module,
                owner,
                certain[owner],
                operation,
                facts.shape,
                True,
                f"{table} of {other}",
            )
        )

    def _written(self, connection: Any) -> Written | None:
        """What the open transaction has written; None where that is not one module's business."""
        for position, block in enumerate(connection.atomic_blocks):
            if isinstance(block, GroupAtomic):
                return None  # a saga's fused steps commit together on purpose
            if not block._from_testcase:
                if position == 0:
                    return _hooked(connection)
                return self._of_test(block, connection.savepoint_ids[position - 1])
        return None

    def _of_test(self, block: Any, savepoint: Any) -> Written:
        """Below a test case's transaction nothing commits: the savepoint tells them apart."""
        mark = (block, savepoint)
        if self._in_test.mark != mark:
            self._in_test = Written(mark)
        return self._in_test

    def _found(self, crossing: Crossing) -> None:
        if not self._refuses:
            count(crossing, rate=self._rate)
        elif crossing.rule == TRANSACTION.name and setting("CALLS_IN_TRANSACTION") == "warn":
            warnings.warn(sentence(crossing), RuntimeWarning, stacklevel=2)
        else:
            raise BoundaryCrossed(crossing)


def _send_nothing(*_: Any) -> None:
    """The statement is sent by who asked for a look at it."""


def _hooked(connection: Any) -> Written:
    for _, hook, _ in connection.run_on_commit:
        if type(hook) is Written:
            return hook
    written = Written()
    connection.run_on_commit.append((set(), written, True))
    return written


def install(connection: Any, *, mode: str) -> None:
    """Put the guard on a connection, or take it off: "refuse", "sample" or "off".

    It stands first among the wrappers: `with connection.execute_wrapper(...)` takes off the last.
    """
    wrappers = connection.execute_wrappers
    wrappers[:] = [one for one in wrappers if not isinstance(getattr(one, "__self__", 0), Guard)]
    if mode == "off":
        return
    refuses = mode == "refuse"
    guard = Guard(connection.vendor, refuses=refuses, rate=setting("SQL_GUARD_RATE"))
    wrappers.insert(0, guard.judge if refuses else guard.sample)


def watch_connections() -> None:
    """Put the guard on every connection, now and when one is opened, as the settings say."""
    connection_created.connect(_opened, dispatch_uid="monolift.boundaries.sql")
    setting_changed.connect(_changed, dispatch_uid="monolift.boundaries.sql")
    _install_on_open_connections()


def _opened(connection: Any, **_: Any) -> None:
    if apps.models_ready:
        install(connection, mode=sql_guard())


def _changed(setting: str, **_: Any) -> None:
    if setting in ("MONOLIFT", "DEBUG"):
        try:
            _install_on_open_connections()
        except ImproperlyConfigured:
            pass  # whoever asks for a setting is told


def _install_on_open_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            install(connection, mode=sql_guard())

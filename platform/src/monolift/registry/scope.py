"""Whose code runs, for whom, until when: one `Scope` per operation, in a context variable.

A scope is made by whatever starts an operation (a call, a handler, a task, a saga step, a request)
and read by `atomic()`, `publish()`, the guards and the logs. Code outside any operation (a script,
a test) has a root scope, whose module is read off the calling file.
"""

import sys
from contextvars import ContextVar
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from monolift.registry.transactions import PlatformAtomic, seen

if TYPE_CHECKING:
    from monolift.kernel import Operation


class Unit(Protocol):
    """What the platform writes in an operation's transaction, beside the operation's own rows."""

    def first(self, alias: str) -> None:
        """The first statement: claim the key, or mark the delivery."""
        ...

    def last(self, alias: str, answer: Any) -> None:
        """The last statement: store the answer."""
        ...


class Group(Protocol):
    """A transaction that several steps of a saga share."""

    alias: str

    def doom(self, error: BaseException) -> None:
        """Something went wrong inside, caught or not: the group must not commit."""
        ...


class Outgoing(Protocol):
    """Decides which calls an operation may make, and under which idempotency key."""

    def admit(self, operation: "Operation") -> "CallKey | None":
        """The key for this call, or None for a fresh one; raises when the call is not allowed."""
        ...


class CallKey:
    """The idempotency key of one command, with how it is to be treated."""

    __slots__ = ("repeated", "settling", "value")

    def __init__(self, value: str, *, repeated: bool = False, settling: bool = False) -> None:
        self.value = value
        self.repeated = repeated
        """The key may be known already: look before running."""
        self.settling = settling
        """Do not run it any more: give the stored answer, or make sure it never runs."""


class Scope(msgspec.Struct, eq=False, gc=False):
    """One running operation. A struct, because one is made for every call."""

    module: str | None
    parent: "Scope | None"
    deadline: float | None
    operation: str = ""
    kind: str = "call"
    trace: Any = None
    alias: str | None = None
    depth: int = 0
    outer: PlatformAtomic | None = None
    closed: bool = False
    unit: Unit | None = None
    group: Group | None = None
    outgoing: Outgoing | None = None
    key: str | None = None
    plain: bool = True
    """No transaction, no group, no key: calls may take the short path."""
    following: bool = False
    """A call is being made again, to wherever its module has moved."""
    weighing: Any = None
    """The node of `monolift.observe.weighing` that runs, where this request is weighed."""
    context: str | None = None
    """Of a request: the module whose view answers, or "admin". The SQL guard judges by it."""

    def weighed_with(self, above: "Scope") -> None:
        """Belong to a request that is weighed, if the other one does."""
        if above.weighing is not None:
            self.weighing = above.weighing
            self.plain = False

    @property
    def managed(self) -> bool:
        """True for an operation the platform started, whose transaction it therefore commits."""
        return self.kind not in ("root", "request")


class Current(msgspec.Struct, eq=False):
    """The running scope of one context on one thread.

    A call changes `scope` in place and puts it back: half the price of setting a context variable,
    and safe because a call never yields. A context that was copied to another thread is told apart
    by `thread`.
    """

    scope: Scope
    thread: int
    connections: list[Any]
    """Every connection that was opened on the thread."""


_current: ContextVar[Current] = ContextVar("monolift_scope")

get_current = _current.get


def adopt() -> Current:
    """Begin on this thread: a root scope, or one below what the context was copied from.

    Transactions stay on their thread; module, deadline and trace go along.
    """
    copied = _current.get(None)
    if copied is None:
        scope = Scope(None, None, None, kind="root")
    else:
        above = copied.scope
        scope = Scope(above.module, above, above.deadline, above.operation, "request")
        scope.weighed_with(above)
    made = Current(scope, get_ident(), seen.connections)
    _current.set(made)
    return made


def current() -> Scope:
    """The scope of the running code; a root scope outside any operation."""
    running = _current.get(None)
    if running is None or running.thread != get_ident():
        running = adopt()
    return running.scope


class entered:  # noqa: N801 - used like a function, as contextlib's are
    """Run a block in the given scope."""

    __slots__ = ("scope", "token")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __enter__(self) -> Scope:
        self.token = _current.set(Current(self.scope, get_ident(), seen.connections))
        return self.scope

    def __exit__(self, *_: object) -> None:
        _current.reset(self.token)


def calling_file(*, depth: int) -> str:
    """The dotted name of the Python module `depth` frames up."""
    return str(sys._getframe(depth + 1).f_globals.get("__name__", ""))

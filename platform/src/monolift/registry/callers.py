"""On whose behalf code runs: the end user, as the edge has authenticated them.

A call carries them along, to a module in this process and to one in another deployable (there in
the signature of the request), so `end_user()` says the same wherever the module is. What runs later
(sagas, handlers, tasks) acts for nobody: put the id of a user into its fields.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import msgspec

from monolift.registry.scope import Scope, current

READ, WRITE = "read", "write"


class Caller(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An authenticated user, and what they may do with the credential they showed."""

    user_id: UUID
    scopes: frozenset[str] = frozenset({READ, WRITE})


def end_user() -> Caller | None:
    """Who asked for what runs; None without a user, and in sagas, handlers and tasks."""
    scope: Scope | None = current()
    while scope is not None:
        if scope.acts_for is not None:
            return scope.acts_for()
        scope = scope.parent
    return None


@contextmanager
def acting_for(user: Caller | None, /) -> Iterator[None]:
    """Run a block on a user's behalf, or on nobody's. For tests, and for code outside requests.

    Nothing else changes, as with `deadline()`. Not across an `await`.
    """
    scope = current()
    before = scope.acts_for
    scope.acts_for = lambda: user
    try:
        yield
    finally:
        scope.acts_for = before

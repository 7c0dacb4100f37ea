"""Making a call again where its module is now, when it was refused because the module has moved.

Whoever calls sees a call that took a little longer. What was refused left nothing behind, so making
it again is harmless, whatever it is.
"""

import time
from collections.abc import Callable
from random import random
from typing import Any, Self

from monolift.kernel import Operation, Unavailable
from monolift.kernel.clock import monotonic
from monolift.kernel.errors import MonoliftError
from monolift.registry.proxies import Binding
from monolift.registry.scope import CallKey, Scope, current
from monolift.registry.topology import renewed, topology

_PAUSE = 0.02
"""Seconds between two attempts, in the mean, while the module is between two places."""


class Moved(MonoliftError):
    """Nothing was run: the module is not where this process took it to be."""

    key: CallKey | None = None
    """The one that the call was made under."""

    def under(self, key: str | None) -> Self:
        """The same, of a call whose key (if any) was sent to another system: it goes again."""
        if key is not None:
            self.key = CallKey(key, repeated=True)
        return self


class SameKey:
    """Lets the call go again as it went before."""

    def __init__(self, key: CallKey | None) -> None:
        self.key = key

    def admit(self, operation: Operation) -> CallKey | None:
        """The key it had."""
        return self.key


def ending(caller: Scope, operation: Operation) -> float:
    """When a call that begins now ends at the latest, on the monotonic clock."""
    end = monotonic() + operation.timeout
    return end if caller.deadline is None else min(end, caller.deadline)


def follow(
    binding: Binding,
    operation: Operation,
    caller: Scope,
    end: float,
    arguments: dict[str, Any],
    moved: Moved,
) -> Any:
    """Make a refused call again until it is taken or `end`. Raises Unavailable then."""
    before = caller.deadline, caller.outgoing, caller.plain
    caller.following, caller.deadline = True, end
    if caller.outgoing is not None or moved.key is not None:
        caller.outgoing, caller.plain = SameKey(moved.key), False
    try:
        while True:
            epoch = topology().epoch
            renewed()
            if topology().epoch == epoch:
                time.sleep(min(_PAUSE * 2 * random(), max(end - monotonic(), 0.0)))  # noqa: S311
            if monotonic() >= end:
                raise Unavailable(operation.name, f"to the end of its time, {moved}")
            try:
                return getattr(binding.proxy, operation.method)(**arguments)
            except Moved as again:
                moved = again
            except Unavailable as error:
                if monotonic() < end:
                    raise
                raise Unavailable(
                    operation.name,
                    f"{error.reason}; before that, {moved}",
                    retry_after=error.retry_after,
                ) from error
    finally:
        caller.following = False
        caller.deadline, caller.outgoing, caller.plain = before


def following(
    binding: Binding, operation: Operation, call: Callable[..., Any]
) -> Callable[..., Any]:
    """A method of a proxy that follows its module."""

    def followed(**arguments: Any) -> Any:
        caller = current()
        end = ending(caller, operation)
        try:
            return call(**arguments)
        except Moved as moved:
            if caller.following:
                raise
            return follow(binding, operation, caller, end, arguments, moved)

    followed.__name__ = operation.method
    followed.__doc__ = operation.function.__doc__
    return followed

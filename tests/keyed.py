"""Commands under a request's `Idempotency-Key`, without a request."""

from collections.abc import Iterator
from contextlib import contextmanager

from monolift.gateway.requests import RequestKey
from monolift.registry.scope import Scope, entered


@contextmanager
def under(key: str) -> Iterator[None]:
    """The one command of the block has this key, wherever its module is."""
    scope = Scope(None, None, None, kind="request")
    scope.outgoing = RequestKey(lambda: key)
    scope.plain = False  # or a call in the process would not look for a key
    with entered(scope):
        yield

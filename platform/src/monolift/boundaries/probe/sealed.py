"""While a project is probed it reaches nothing: no database, no socket."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

_WHAT = "monolift probe opens no connections"


@contextmanager
def sealed() -> Iterator[None]:
    """Refuse every connection, with the errors that an unreachable server would cause.

    Many apps ask the database in `ready()` and stand the answer that it is down.
    """
    from django.db.backends.base.base import BaseDatabaseWrapper

    kept = {
        (owner, name): owner.__dict__.get(name)
        for owner, name in (
            (BaseDatabaseWrapper, "connect"),
            (BaseDatabaseWrapper, "ensure_connection"),
            (socket.socket, "connect"),
            (socket.socket, "connect_ex"),
        )
    }
    for owner, name in kept:
        setattr(owner, name, _no_database if owner is BaseDatabaseWrapper else _no_socket)
    try:
        yield
    finally:
        for (owner, name), method in kept.items():
            if method is None:
                delattr(owner, name)
            else:
                setattr(owner, name, method)


def _no_database(self: Any) -> NoReturn:
    from django.db.utils import OperationalError

    raise OperationalError(f"{_WHAT}: the database {self.alias!r} is asked while the apps load")


def _no_socket(self: Any, address: Any) -> NoReturn:
    raise ConnectionRefusedError(f"{_WHAT}: {address!r} is called while the apps load")

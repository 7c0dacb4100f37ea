"""What an error of the database says about the work: nothing. It got in another's way, or there is
no working database just now.

Both are told by codes, PostgreSQL's SQLSTATE (its manual, appendix A) and SQLite's result codes
(sqlite.org/rescode.html), never by words.
"""

import sqlite3

from django.db import DatabaseError, InterfaceError, OperationalError

# Connection, resources (a full disk, memory, connections), an operator's or a server's end, the
# system's input and output, and a server that only reads.
_CLASSES = ("08", "53", "57P", "58", "25006")
_RESULTS = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
    }
)
_IN_THE_WAY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NOT_IN_TIME = "55P03"  # a lock that was not given within `lock_timeout`


def in_the_way(error: BaseException) -> bool:
    """A deadlock or serialisation failure (SQLSTATE class 40), or SQLite's busy database.

    The transaction is gone as a whole and may be run again as a whole. Found also under what the
    failing call made of it.
    """
    cause: BaseException | None = error
    while cause is not None:
        code = _code(cause)
        if code.startswith("40") if isinstance(code, str) else code in _IN_THE_WAY:
            return True
        cause = cause.__cause__
    return False


def out_of_order(error: BaseException) -> bool:
    """An error of Django's because the database has no room, no connection, or may not be written.

    Later it may well work. Whether a COMMIT that ends so has happened is not known.
    """
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, DatabaseError):
        return False
    code = _code(error.__cause__)
    if code is None:  # of the client's side: the connection is lost, or there is none
        return isinstance(error, OperationalError)
    return code.startswith(_CLASSES) if isinstance(code, str) else code in _RESULTS


def says_nothing(error: BaseException) -> bool:
    """Whether an error of the database tells nothing about the work that it kept from being done.

    `in_the_way`, `out_of_order`, or a lock that was not given in time: later it may well work.
    """
    return in_the_way(error) or out_of_order(error) or _code(error.__cause__) == _NOT_IN_TIME


def _code(error: BaseException | None) -> str | int | None:
    """SQLSTATE, or SQLite's result code; None for what has neither."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return None if code is None else int(code) & 0xFF  # the rest says more precisely what
    state = getattr(error, "sqlstate", None)
    return None if state is None else str(state)

"""What is known of a statement, kept by its text and by its shape."""

import re
import threading
from typing import Any

from monolift.boundaries.sql.ownership import Ownership, ownership
from monolift.boundaries.sql.shapes import shape
from monolift.boundaries.sql.tables import tables

TEXTS = 4096
SHAPES = 1024
LONGEST = 4000
"""Characters of a text that is kept; a longer one (a list of thousands) is shaped each time."""

_WRITES = re.compile(
    r"\b(insert|update|delete|replace|merge|truncate|copy|create|alter|drop|into)\b", re.IGNORECASE
)
_LOCKS = re.compile(r"\bfor (no key )?update\b", re.IGNORECASE)


class Touched:
    """The modules whose tables a statement names, each with one of these tables."""

    __slots__ = ("read", "unread", "written")

    def __init__(
        self, read: dict[str, str], written: dict[str, str], unread: dict[str, str]
    ) -> None:
        self.read = read
        self.written = written
        self.unread = unread
        """Those that words of a part name which cannot be read."""

    @property
    def all(self) -> dict[str, str]:
        """Table by module, written ones before read ones."""
        return {**self.read, **self.written}


class Facts:
    """A statement as the guard sees it. The tree is only read when the words raise a suspicion."""

    __slots__ = ("_ownership", "_touched", "_vendor", "may_write", "owner", "owners", "shape")

    def __init__(self, text: str, vendor: str, owned: Ownership) -> None:
        self.shape = text
        self.owners = owned.mentioned(text)
        self.owner = _one(self.owners)
        """The one module whose tables it may touch; "" for several, None for no module's."""
        self.may_write = self.owner is not None and bool(_WRITES.search(_LOCKS.sub("", text)))
        self._vendor = vendor
        self._ownership = owned
        self._touched: Touched | None = None

    def touched(self) -> Touched:
        """What it really touches, as far as it can be read."""
        if self._touched is None:
            self._touched = self._read()
        return self._touched

    def _read(self) -> Touched:
        found = tables(self.shape, vendor=self._vendor)
        return Touched(
            self._by_module(found.read),
            self._by_module(found.written),
            self._ownership.named(" ".join(found.unread)),
        )

    def _by_module(self, names: frozenset[str]) -> dict[str, str]:
        owned = ((self._ownership.owner(name), name) for name in sorted(names))
        return {owner: name for owner, name in owned if owner is not None}


def _one(owners: frozenset[str]) -> str | None:
    if not owners:
        return None
    return next(iter(owners)) if len(owners) == 1 else ""


class Cache:
    """Facts of one kind of database. Bounded: the oldest goes when a new one finds no room."""

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self.texts: dict[Any, Facts] = {}
        """By the text itself, as the database gets it. Read without the lock."""
        self._shapes: dict[str, Facts] = {}
        self._lock = threading.Lock()
        self._ownership = ownership()

    def learn(self, sql: Any) -> Facts:
        """The facts of a statement whose text is not known."""
        text = sql if isinstance(sql, str) else _text(sql)
        shaped = shape(text, vendor=self.vendor)
        with self._lock:
            owned = ownership()
            if owned is not self._ownership:
                self._ownership = owned
                self.texts.clear()
                self._shapes.clear()
            facts = self._shapes.get(shaped)
            if facts is None:
                facts = Facts(shaped, self.vendor, owned)
                _keep(self._shapes, shaped, facts, SHAPES)
            if len(text) <= LONGEST and isinstance(sql, str):
                _keep(self.texts, sql, facts, TEXTS)
        return facts


def _text(sql: Any) -> str:
    if isinstance(sql, bytes):
        return sql.decode(errors="replace")
    as_string = getattr(sql, "as_string", None)  # psycopg's composed statements
    return str(as_string(None) if as_string is not None else sql)


def _keep(kept: dict[Any, Facts], key: Any, facts: Facts, most: int) -> None:
    while len(kept) >= most:
        del kept[next(iter(kept))]
    kept[key] = facts


_caches: dict[str, Cache] = {}


def cache(vendor: str) -> Cache:
    """The facts of statements for one kind of database, by Django's name of it."""
    return _caches.get(vendor) or _caches.setdefault(vendor, Cache(vendor))

"""Databases for one test, with the library's small world in the first; `stock` is what moves.

`default` and `stock` are one database, written by its owner and by a role of stock's own; and
`stock_away` is another one, on the same server or on a second.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from monolift.lift.movers.postgresql.mover import PostgresMover
from monolift.lift.moving import Move
from monolift.lift.sealing.postgresql.seal import PostgresSeal
from monolift.registry import topology as registry
from monolift.registry.topology import heed, install, topology
from monolift.truth import follow, row
from monolift.truth.document import Stay, applied

ROLE = "monolift_stock"
LABELS = ("monolift_db", "stock", "sales", "cards")
_numbers = itertools.count(1)
_templates: dict[str, str] = {}


@dataclass(kw_only=True)
class Places:
    """The databases of a test."""

    here: str
    """The URL of the server of the first."""
    there: str
    names: tuple[str, str]
    before: dict[str, Any] = field(default_factory=dict)

    def session(self, alias: str = "default") -> Any:
        """A connection of the owner."""
        server, name = (self.there, self.names[1]) if "away" in alias else (
            self.here, self.names[0],
        )  # fmt: skip
        return connect(server, dbname=name)

    def ask(self, sql: str, alias: str = "default") -> list[tuple[Any, ...]]:
        """Rows, by the owner."""
        with self.session(alias) as session:
            rows: list[tuple[Any, ...]] = session.execute(sql).fetchall()
        return rows

    def do(self, sql: str, alias: str = "default") -> None:
        """Run something, as the owner."""
        with self.session(alias) as session:
            session.execute(sql)

    def seal(self) -> PostgresSeal:
        """Of stock."""
        return PostgresSeal(module="stock", alias="stock")

    def mover(
        self, source: str = "stock", target: str = "stock_away", *, budget: float = 2.0, **more: Any
    ) -> PostgresMover:
        """Of stock."""
        move = Move(module="stock", source=source, target=target, budget=budget)
        return PostgresMover(move, **more)

    def sealed(self) -> None:
        """Seal stock, and let this process know."""
        self.seal().apply(to("stock"))
        follow.spread(row.latest(connections["default"]))


def connect(server: str, **more: Any) -> Any:
    """A session on a server, each statement of which commits."""
    return psycopg.connect(server, **more, autocommit=True)


def to(alias: str) -> Any:
    """What moves the truth: stock is on that alias."""
    stay = Stay(deployable="shop", database=alias)
    return lambda: row.change({"stock": stay})


def learn() -> None:
    """Let this process know what the truth row says."""
    install(applied(topology(), row.latest(connections["default"])))


@contextmanager
def places(here: str, there: str, folder: Any) -> Iterator[Places]:
    """Databases of their own for a block, and a process that has these only."""
    number = next(_numbers)
    made = Places(here=here, there=there, names=(f"world_{number}", f"away_{number}"))
    with (
        _database(here, made.names[0], template=_template(here)),
        _database(there, made.names[1]),
        _configured(made, folder),
    ):
        try:
            yield made
        finally:
            with suppress(Exception):
                _drop_feeds(made)


def _drop_feeds(made: Places) -> None:
    for alias in ("default", "stock_away"):
        with made.session(alias) as session:
            for (name,) in session.execute(
                "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid "
                "WHERE datname = current_database()"
            ).fetchall():
                session.execute(f"ALTER SUBSCRIPTION {name} DISABLE")
                session.execute(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
                session.execute(f"DROP SUBSCRIPTION {name}")
    from monolift.lift.movers.postgresql.feed import drop_slots

    for alias, name in zip(("default", "stock_away"), made.names, strict=True):
        with made.session(alias) as session:
            mine = {
                slot
                for (slot,) in session.execute(
                    "SELECT slot_name FROM pg_replication_slots WHERE database = %s", (name,)
                ).fetchall()
            }
            drop_slots(session, mine.__contains__)


@contextmanager
def _database(server: str, name: str, *, template: str = "template0") -> Iterator[None]:
    with connect(server) as session:
        session.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield
    finally:
        with connect(server) as session, suppress(psycopg.Error):
            session.execute(f"DROP DATABASE {name} WITH (FORCE)")


def entry(server: str, name: str, *, user: str, module: str | None = None) -> dict[str, Any]:
    """A database as the settings say it."""
    url = urlsplit(server)
    said: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "PASSWORD": "",
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
        "OPTIONS": {"connect_timeout": 5, "prepare_threshold": 5},
        "TEST": {},
    }
    if module:
        said["ENGINE"] = "monolift.db.postgresql"
        said["MONOLIFT"] = {"module": module, "owner": {"USER": "postgres"}}
    return said


def databases(made: Places) -> dict[str, dict[str, Any]]:
    """As the settings say them."""
    return {
        "default": entry(made.here, made.names[0], user="postgres"),
        "stock": entry(made.here, made.names[0], user=ROLE, module="stock"),
        "stock_away": entry(made.there, made.names[1], user=ROLE, module="stock"),
    }


@contextmanager
def _configured(made: Places, folder: Any) -> Iterator[None]:
    """The process's own databases are put aside meanwhile."""
    handler: Any = connections
    before = dict(settings.DATABASES)
    monolift = settings.MONOLIFT
    opened = {alias: getattr(handler._connections, alias, None) for alias in before}
    for alias, connection in opened.items():
        if connection is not None:
            del handler[alias]
    settings.DATABASES.clear()
    settings.DATABASES.update(databases(made))
    handler.configure_settings(settings.DATABASES)  # the same dict, for both
    settings.MONOLIFT = {**monolift, "DATA": folder, "WAKE": "notify"}
    heed(True)
    registry.reset()
    try:
        yield
    finally:
        for alias in ("default", "stock", "stock_away"):
            if getattr(handler._connections, alias, None) is not None:
                handler[alias].close()
                del handler[alias]
        settings.MONOLIFT = monolift
        settings.DATABASES.clear()
        settings.DATABASES.update(before)
        for alias, connection in opened.items():
            if connection is not None:
                handler[alias] = connection
        heed(False)
        registry.reset()


def _template(server: str) -> str:
    """A database with the tables, made once for each server."""
    if server not in _templates:
        name = f"template_{os.getpid()}"
        with connect(server) as session:
            session.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        made = Places(here=server, there=server, names=(name, name))
        with _configured(made, "/nonexistent"):
            heed(False)
            registry.reset()
            for label in LABELS:
                with suppress(Exception):
                    call_command("migrate", label, verbosity=0, skip_checks=True)
        _templates[server] = name
    return _templates[server]

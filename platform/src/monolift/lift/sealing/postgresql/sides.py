"""One of the two databases of a move, as the owner of its tables sees it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any

import psycopg
from django.db import connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg.conninfo import make_conninfo

from monolift.registry.databases import owner, owning_alias, peer
from monolift.registry.places import DEFAULT_ALIAS

type Session = Any
"""A connection of psycopg. Its own type takes literal statements only."""

_ADDRESS = frozenset(
    {"host", "port", "dbname", "user", "password", "service", "sslmode", "sslrootcert"}
)
_PEER_KEYS = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}


class Side:
    """An alias of a module, and the connections of who owns the tables there."""

    def __init__(self, module: str, alias: str) -> None:
        self.module = module
        self.alias = alias
        self._settings = connections.settings[alias]
        self.role = str(self._settings["USER"])
        self.database = str(self._settings["NAME"])
        self.name = f"monolift lift {module}"
        """How the sessions of a lift are called, in pg_stat_activity."""

    @property
    def is_control(self) -> bool:
        """Whether the truth row is in this database."""
        return owning_alias(self.alias) == DEFAULT_ALIAS

    @cached_property
    def wrapper_settings(self) -> dict[str, Any]:
        """Those of Django for the owner."""
        chosen = dict(connections.settings[owning_alias(self.alias)])
        chosen.update({} if self.is_control else owner(self.alias))
        chosen["OPTIONS"] = {k: v for k, v in chosen["OPTIONS"].items() if k != "pool"}
        chosen["ENGINE"] = "django.db.backends.postgresql"
        return chosen

    def wrapper(self) -> DatabaseWrapper:
        """A Django connection of the owner, under the name of the alias."""
        return DatabaseWrapper(self.wrapper_settings, self.alias)

    @cached_property
    def _parameters(self) -> dict[str, Any]:
        given: dict[str, Any] = self.wrapper().get_connection_params()
        for name in ("cursor_factory", "context", "prepare_threshold"):
            given.pop(name, None)
        return {**given, "application_name": self.name}

    def session(self, **more: Any) -> Session:
        """A new connection of the owner; each statement commits by itself."""
        return psycopg.connect(**{**self._parameters, **more}, autocommit=True)

    @contextmanager
    def connected(self, **more: Any) -> Iterator[Session]:
        """The same for a block."""
        with closing(self.session(**more)) as session:
            yield session

    def as_module(self) -> Session:
        """A new connection of the module's role."""
        plain = {**self._settings, "OPTIONS": dict(self._settings["OPTIONS"])}
        plain["OPTIONS"].pop("pool", None)
        given: dict[str, Any] = DatabaseWrapper(plain, self.alias).get_connection_params()
        for name in ("cursor_factory", "context", "prepare_threshold"):
            given.pop(name, None)
        return psycopg.connect(**{**given, "application_name": self.name}, autocommit=True)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction of the owner: that of the default alias, where the truth row is.

        So what it does and a change of the truth row are one commit.
        """
        if self.is_control:
            connection: Any = connections[DEFAULT_ALIAS]
            with transaction.atomic(using=DEFAULT_ALIAS):
                connection.ensure_connection()
                connection.connection.execute("SELECT 1")  # begins it
                yield connection.connection
        else:
            with self.connected() as session, session.transaction():
                yield session

    def conninfo(self) -> str:
        """How a server of another side connects."""
        given: dict[str, Any] = {
            name: value for name, value in self._parameters.items() if name in _ADDRESS
        }
        given |= {_PEER_KEYS[name]: value for name, value in peer(self.alias).items()}
        return make_conninfo(**given, application_name=f"monolift feed {self.module}")

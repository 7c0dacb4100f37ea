"""The engine, as Django looks for it."""

from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import IsolationLevel

from monolift.db.postgresql.driver import Cursor, Driver, FencedConnection, ServerBindingCursor
from monolift.registry.databases import own_module


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the database of one module."""

    Database = Driver()  # type: ignore[assignment]  # a module in the stubs

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        super().__init__(settings_dict, alias)
        # Without a database, Django makes one for tests: there is nothing to fence.
        self.fenced_module = "" if alias == NO_DB_ALIAS else _module(alias, settings_dict)
        pool = settings_dict["OPTIONS"].get("pool")
        if pool and self.fenced_module:
            given = {} if pool is True else dict(pool)
            settings_dict["OPTIONS"]["pool"] = {**given, "connection_class": FencedConnection}

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, with cursors that enter the fence."""
        parameters: dict[str, Any] = super().get_connection_params()
        if self.fenced_module:
            plain = parameters["cursor_factory"] is base.Cursor
            parameters["cursor_factory"] = Cursor if plain else ServerBindingCursor
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Django's, which knows its module."""
        if not self.fenced_module:
            return psycopg.connect(**conn_params)
        connection = super().get_new_connection(conn_params)
        connection.fenced_module = self.fenced_module
        return connection


def _module(alias: str, said: dict[str, Any]) -> str:
    where = f"DATABASES[{alias!r}]"
    module = own_module(alias) or said.get("MONOLIFT", {}).get("module")
    if not module:
        raise ImproperlyConfigured(
            f"{where} has the engine monolift.db.postgresql and does not say for which module: "
            f'give it "MONOLIFT": {{"module": "..."}}, or Django\'s engine.'
        )
    if not said.get("AUTOCOMMIT", True):
        raise ImproperlyConfigured(f"{where}: AUTOCOMMIT must stay on where writes are fenced.")
    level = said["OPTIONS"].get("isolation_level", IsolationLevel.READ_COMMITTED)
    if level != IsolationLevel.READ_COMMITTED:
        raise ImproperlyConfigured(
            f"{where}: isolation_level must be READ COMMITTED. A transaction of a higher level "
            "would not see that its module has moved."
        )
    return str(module)

"""A database that must not be asked."""

from typing import Any, NoReturn

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Ends the process at the first attempt."""

    def connect(self) -> NoReturn:
        """Refuse."""
        raise SystemExit("The project's database was asked.")

    def get_new_connection(self, conn_params: Any) -> NoReturn:
        """Refuse."""
        raise SystemExit("The project's database was asked.")

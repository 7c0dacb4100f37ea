"""Making a database that is not there yet."""

from typing import Any

from django.db import OperationalError


def create_if_missing(connection: Any) -> None:
    """Make a PostgreSQL database that a connection asks for in vain; SQLite makes its files itself.

    Raises OperationalError when something else is wrong with it.
    """
    try:
        connection.ensure_connection()
    except OperationalError as error:
        name = connection.settings_dict["NAME"]
        if connection.vendor != "postgresql" or f'"{name}" does not exist' not in str(error):
            raise
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")

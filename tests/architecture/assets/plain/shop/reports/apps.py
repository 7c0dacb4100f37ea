"""The app of the reports."""

import os
import socket

from django.apps import AppConfig
from django.db import OperationalError, connection


class ReportsConfig(AppConfig):
    """Asks the database and a server while it loads, and stands it when they do not answer."""

    name = "shop.reports"
    label = "reports"

    def ready(self) -> None:
        """Listen to signals; look around."""
        from shop.reports import receivers  # noqa: F401 - it registers them

        try:
            connection.cursor()
        except OperationalError:
            pass
        try:
            socket.create_connection(("127.0.0.1", int(os.environ.get("PLAIN_PORT", "9"))))
        except OSError:
            pass
        print("The reports are ready.")

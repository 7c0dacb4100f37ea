"""Figures."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection


def newest() -> Any:
    """A model by its name, and another app's setting."""
    return apps.get_model("orders", "Order").objects.all()[: settings.ORDERS_PAGE_SIZE]


def count() -> int:
    """Another app's table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM orders_order WHERE placed_at IS NOT NULL")
        return int(cursor.fetchone()[0])


def top() -> Any:
    """A function by its name."""
    from django.utils.module_loading import import_string

    return import_string("shop.catalogue.views.bought_by")

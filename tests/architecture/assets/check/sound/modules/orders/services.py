"""Near misses: each line looks like a violation and is none."""

import logging
from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.shortcuts import redirect, render
from django.urls import reverse

from lib import dates
from modules.orders import models
from modules.orders.requires import inventory

log = logging.getLogger("modules.inventory")


def look(request, sku, form):
    """Not SELECT * FROM inventory_stock, only words about it."""
    own = apps.get_model("orders.Order"), apps.get_model("orders", "Line")
    import_module("modules.orders.models")
    page = settings.ORDERS_PAGE_SIZE, settings.INVENTORYLESS, settings.DEBUG
    cache.get(f"orders:{sku}")
    cache.get("inventoryless:1")
    form.get("inventory:1")
    reverse("orders:page")
    redirect("orders:page")
    log.info("inventory: %s", sku)
    allowed = request.user.has_perm("inventory.view_stock")
    statement = "SELECT 1 FROM orders_line JOIN orders_order USING (id)"
    connections[models.Order.objects.db].cursor().execute(statement)
    text = "update inventory_stock by hand, if you must"
    return render(request, "orders/page.html"), own, page, allowed, text, inventory, dates

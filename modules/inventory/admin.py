"""Inventory in Django's admin: to look at. Stock moves through the interface only."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from modules.inventory import models


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.Stock)
class StockAdmin(_ReadOnly):
    """Stock."""

    list_display = ("sku", "available", "received")
    search_fields = ("sku",)


@admin.register(models.Hold)
class HoldAdmin(_ReadOnly):
    """Holds."""

    list_display = ("reference", "state", "expires_at")
    list_filter = ("state",)

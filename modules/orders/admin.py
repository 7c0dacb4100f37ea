"""Orders in Django's admin: to look at. Baskets are not listed: their ids are capabilities."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from modules.orders import models


class OrderLineInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """What was bought."""

    model = models.OrderLine
    fields = ("sku", "title", "quantity", "unit", "total")
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Orders."""

    list_display = ("id", "state", "total", "currency", "placed_at")
    list_filter = ("state", "currency")
    exclude = ("basket_id",)
    inlines = (OrderLineInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

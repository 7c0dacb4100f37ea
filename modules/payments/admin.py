"""Payments in Django's admin: to look at. Money moves through the interface only."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from modules.payments import models


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.Payment)
class PaymentAdmin(_ReadOnly):
    """Payments."""

    list_display = ("reference", "state", "amount", "currency", "refunded", "created_at")
    list_filter = ("state", "currency")


@admin.register(models.Entry)
class EntryAdmin(_ReadOnly):
    """The ledger."""

    list_display = ("posted_at", "account", "amount", "currency", "reference")
    list_filter = ("account", "currency")

"""Payments in Django's admin: to look at. Money moves through the interface only."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from modules.payments import models
from monolift import Money
from monolift.gateway.backoffice import ReadOnlyAdmin


class _FoundByReference(ReadOnlyAdmin):
    search_fields = ("reference",)
    search_help_text = "A whole reference."
    found_by: tuple[str, ...] = ("reference",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        try:
            reference = UUID(text)
        except ValueError:
            return queryset.none(), False
        found = queryset.none()
        for field in self.found_by:
            found = found | queryset.filter(**{field: reference})
        return found, False


class RefundInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """What was given back of a payment."""

    model = models.Refund
    fields = ("created_at", "given_back", "reference")
    readonly_fields = ("given_back",)
    ordering = ("created_at", "reference")
    can_delete = False
    extra = 0

    @admin.display(description="amount")
    def given_back(self, refund: models.Refund) -> str:
        """The amount as money."""
        return _given_back(refund)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Payment)
class PaymentAdmin(_FoundByReference):
    """Payments: found by what is paid for, with their refunds."""

    list_display = ("reference", "state", "charged", "given_back", "created_at")
    list_filter = ("state",)
    # By key: there is no index on the time, and references made by time are in its order.
    ordering = ("-reference",)
    fields = ("reference", "state", ("charged", "given_back"), "charge", "created_at")
    readonly_fields = ("charged", "given_back")
    inlines = (RefundInline,)

    @admin.display(description="amount", ordering="amount")
    def charged(self, payment: models.Payment) -> str:
        """The amount as money."""
        return str(Money(payment.amount, payment.currency))

    @admin.display(description="refunded", ordering="refunded")
    def given_back(self, payment: models.Payment) -> str:
        """What was refunded, as money."""
        return str(Money(payment.refunded, payment.currency)) if payment.refunded else "-"


@admin.register(models.Refund)
class RefundAdmin(_FoundByReference):
    """Refunds: found by their own reference or the payment's."""

    list_display = ("created_at", "reference", "payment_id", "given_back")
    list_filter = ("created_at",)
    list_select_related = ("payment",)
    ordering = ("-created_at", "reference")
    fields = ("reference", "payment", "given_back", "created_at")
    readonly_fields = ("given_back",)
    found_by = ("reference", "payment_id")

    @admin.display(description="amount", ordering="amount")
    def given_back(self, refund: models.Refund) -> str:
        """The amount as money."""
        return _given_back(refund)


@admin.register(models.Entry)
class EntryAdmin(_FoundByReference):
    """The ledger."""

    list_display = ("posted_at", "account", "moved", "reference")
    list_filter = ("account",)
    ordering = ("-id",)
    fields = ("posted_at", "account", "moved", "reference", "posting")
    readonly_fields = ("moved",)
    found_by = ("reference", "posting")

    @admin.display(description="amount", ordering="amount")
    def moved(self, entry: models.Entry) -> str:
        """The amount as money: a debit above zero, a credit below."""
        return str(Money(entry.amount, entry.currency))


def _given_back(refund: models.Refund) -> str:
    return str(Money(refund.amount, refund.payment.currency))

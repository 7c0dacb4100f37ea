"""Shipments in Django's admin: to look at, and to say that a parcel has arrived."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from modules.shipping import models
from modules.shipping.interface import Shipping
from monolift import DomainError, Unavailable, use
from monolift.gateway.backoffice import ReadOnlyAdmin
from monolift.kernel import CallFailed

shipping = use(Shipping)


class MethodFilter(admin.AllValuesFieldListFilter):
    """The ways of delivery, and a dash for what was cancelled before it was booked."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or self.empty_value_display}


@admin.register(models.Shipment)
class ShipmentAdmin(ReadOnlyAdmin):
    """Shipments."""

    list_display = ("order_id", "state", "method", "carrier", "tracking", "ordered_at")
    list_filter = ("state", ("method", MethodFilter))
    search_fields = ("tracking",)
    ordering = ("-ordered_at",)
    actions = ("mark_delivered",)

    @admin.action(description="Mark as delivered", permissions=["deliver"])
    def mark_delivered(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Say that the selected parcels have arrived, through the interface."""
        for row in queryset:
            try:
                shipping.mark_delivered(order_id=row.order_id)
            except (DomainError, Unavailable, CallFailed) as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_change(request, row, "Marked as delivered")

    def has_deliver_permission(self, request: HttpRequest) -> bool:
        """Who may change shipments."""
        return request.user.has_perm("shipping.change_shipment")

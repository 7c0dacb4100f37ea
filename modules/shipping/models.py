"""Shipping's table."""

from django.db import models
from django.db.models import Q


class Shipment(models.Model):
    """The parcel of one order."""

    class State(models.TextChoices):
        """See `ShipmentState`."""

        ORDERED = "ordered"
        BOOKED = "booked"
        DELIVERED = "delivered"
        CANCELLED = "cancelled"

    order_id = models.UUIDField(primary_key=True)
    # Whose it is, as long as it says where they live.
    customer_id = models.UUIDField(null=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.ORDERED)
    method = models.CharField(max_length=10)
    recipient = models.JSONField()
    parcel = models.JSONField()
    carrier = models.CharField(max_length=50, blank=True)
    tracking = models.CharField(max_length=100, blank=True)
    ordered_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["customer_id"],
                name="shipping_of_customer",
                condition=Q(customer_id__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.state} shipment of {self.order_id}"

"""Notifications' table."""

from django.db import models

from monolift import uuid7


class Mail(models.Model):
    """A mail to send. `facts` are what the event told; they and `to` are emptied when it ended.

    `customer_id` is whom it is for, if they have an account.
    """

    class Kind(models.TextChoices):
        """See `MailKind`."""

        PAID = "paid"
        SHIPPED = "shipped"
        CANCELLED = "cancelled"
        REFUNDED = "refunded"
        STOCK_LOW = "stock_low"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    order_id = models.UUIDField(null=True, db_index=True)
    customer_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    to = models.CharField(max_length=254, blank=True)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["customer_id"],
                name="notifications_of_customer",
                condition=models.Q(customer_id__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} mail"

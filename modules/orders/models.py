"""Orders' tables."""

from datetime import date

from django.db import models
from django.db.models import Q

from monolift.kernel import clock


def today() -> date:
    """The day by UTC."""
    return clock.now().date()


class Basket(models.Model):
    """What somebody is about to buy. Its id is the capability to use it: nothing else guards it."""

    id = models.UUIDField(primary_key=True)
    customer_id = models.UUIDField(null=True)
    currency = models.CharField(max_length=3)
    address = models.JSONField(null=True)
    delivery = models.CharField(max_length=10, blank=True)
    coupon = models.CharField(max_length=40, blank=True)
    # Which try at checking out comes next: each has an order id, a hold and a payment of its own.
    attempt = models.PositiveIntegerField(default=0)
    # The day of its last change. Null once nothing in it has to go any more.
    used_on = models.DateField(null=True, default=today)
    # The try that was begun last: while it is `attempt`, the basket is being ordered, and closed.
    begun = models.PositiveIntegerField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["customer_id"],
                name="orders_baskets_of_customer",
                condition=Q(customer_id__isnull=False),
            ),
            models.Index(
                fields=["used_on"],
                name="orders_baskets_by_use",
                condition=Q(used_on__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"basket in {self.currency}"


class BasketLine(models.Model):
    """So many of a SKU, with the name it had when it was put in."""

    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    sku = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    name = models.CharField(max_length=100)
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["basket", "sku"], name="orders_sku_once_a_basket"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="orders_line_not_empty"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"


class Order(models.Model):
    """What was bought. Its lines and total never change. Amounts are in minor units."""

    class State(models.TextChoices):
        """See `OrderState`."""

        PLACED = "placed"
        PAID = "paid"
        SHIPPED = "shipped"
        DELIVERED = "delivered"
        CANCELLING = "cancelling"
        CANCELLED = "cancelled"
        REFUNDED = "refunded"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True)
    basket_id = models.UUIDField()
    customer_id = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLACED)
    currency = models.CharField(max_length=3)
    net = models.BigIntegerField()
    discount = models.BigIntegerField()
    # The part of it that the coupon gave.
    coupon_discount = models.BigIntegerField(default=0)
    shipping = models.BigIntegerField()
    tax = models.BigIntegerField()
    # The same by rate: [hundredths of a percent, net, amount] each; empty where it was not kept.
    taxes = models.JSONField(default=list)
    total = models.BigIntegerField()
    refunded = models.BigIntegerField(default=0)
    email = models.CharField(max_length=254)
    address = models.JSONField()
    delivery = models.CharField(max_length=10)
    coupon = models.CharField(max_length=40, blank=True)
    tracking = models.CharField(max_length=100, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    placed_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["basket_id"],
                condition=~Q(state="failed"),
                name="orders_one_order_a_basket",
            ),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=models.F("total")),
                name="orders_refund_within_total",
            ),
        )
        indexes = (
            models.Index(fields=["placed_at", "id"], name="orders_by_time"),
            # The back office looks for the few that are neither delivered nor new.
            models.Index(fields=["state", "placed_at", "id"], name="orders_by_state"),
            models.Index(
                fields=["customer_id", "placed_at", "id"],
                name="orders_of_customer",
                condition=Q(customer_id__isnull=False),
            ),
            models.Index(fields=["email", "placed_at", "id"], name="orders_by_email"),
        )

    def __str__(self) -> str:
        return f"{self.state} order {self.id}"


class OrderLine(models.Model):
    """What was bought, at the price it was bought for, in minor units of the order's currency."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    sku = models.CharField(max_length=64)
    title = models.CharField(max_length=310)
    quantity = models.PositiveIntegerField()
    unit = models.BigIntegerField()
    total = models.BigIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["order", "position"], name="orders_line_once"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"


class Invoice(models.Model):
    """The number under which an order was billed. A year's numbers have no gaps."""

    order = models.OneToOneField(Order, primary_key=True, on_delete=models.PROTECT)
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    issued_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["year", "number"], name="orders_invoice_number_once"),
        )

    def __str__(self) -> str:
        return f"{self.year}-{self.number:06d}"


class InvoiceCounter(models.Model):
    """The last number of a year: whoever bills locks it, so numbers follow commits."""

    year = models.PositiveSmallIntegerField(primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.last} in {self.year}"


class Refund(models.Model):
    """Money on its way back, or given back. What is on its way counts as refunded already."""

    class State(models.TextChoices):
        """Where the money is."""

        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=7, choices=State.choices, default=State.PENDING)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.amount} of {self.order_id}"

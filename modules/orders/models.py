"""Orders' tables."""

from django.db import models
from django.db.models import Q


class Basket(models.Model):
    """What somebody is about to buy. Its id is the capability to use it: nothing else guards it."""

    id = models.UUIDField(primary_key=True)
    currency = models.CharField(max_length=3)
    address = models.JSONField(null=True)
    delivery = models.CharField(max_length=10, blank=True)
    # Which try at checking out comes next: each has an order id, a hold and a payment of its own.
    attempt = models.PositiveIntegerField(default=0)

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
    """What was bought. Its lines and total never change."""

    class State(models.TextChoices):
        """See `OrderState`."""

        PLACED = "placed"
        PAID = "paid"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True)
    basket_id = models.UUIDField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.PLACED)
    currency = models.CharField(max_length=3)
    total = models.BigIntegerField()
    address = models.JSONField()
    delivery = models.CharField(max_length=10)
    problem = models.CharField(max_length=500, blank=True)
    placed_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["basket_id"],
                condition=~Q(state="failed"),
                name="orders_one_order_a_basket",
            ),
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

"""Pricing's tables."""

from django.db import models
from django.db.models import F, Q

MOST_PERCENT = 90
"""The largest promotion; nothing is given away by a slip of the keyboard."""


class ListPrice(models.Model):
    """The price of one unit in one currency, in minor units, before promotions and tax."""

    sku = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["sku", "currency"], name="pricing_one_list_price"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="pricing_price_above_zero"),
        )

    def __str__(self) -> str:
        return f"{self.sku} in {self.currency}"


class Promotion(models.Model):
    """A percentage off one SKU from `starts_at` until before `ends_at`."""

    sku = models.CharField(max_length=64)
    percent = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sku", "starts_at", "ends_at"], name="pricing_one_promotion_a_window"
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=MOST_PERCENT),
                name="pricing_percent_in_range",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="pricing_window_not_empty"
            ),
        )

    def __str__(self) -> str:
        return f"{self.percent} % off {self.sku}"

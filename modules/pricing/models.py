"""Pricing's tables. Amounts are in minor units."""

from django.db import models
from django.db.models import F, Q

MOST_PERCENT = 90
"""The largest promotion; nothing is given away by a slip of the keyboard."""

DEFAULT_LIST = "default"


class PriceList(models.Model):
    """When a set of prices counts, and before which others."""

    name = models.CharField(max_length=50, primary_key=True)
    priority = models.IntegerField(default=0)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True)
                | Q(starts_at__isnull=True)
                | Q(ends_at__gt=F("starts_at")),
                name="pricing_list_window_not_empty",
            ),
        )

    def __str__(self) -> str:
        return self.name


class ListPrice(models.Model):
    """The price of one unit in one currency in one list, before promotions and tax."""

    sku = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, default=DEFAULT_LIST)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sku", "currency", "price_list"], name="pricing_one_list_price"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="pricing_price_above_zero"),
        )

    def __str__(self) -> str:
        return f"{self.sku} in {self.currency}"


class Promotion(models.Model):
    """Off one SKU from `starts_at` until before `ends_at`: a percentage, or money off each unit."""

    sku = models.CharField(max_length=64)
    percent = models.PositiveSmallIntegerField(default=0)
    amount = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["sku", "currency", "starts_at", "ends_at"],
                name="pricing_one_promotion_a_window",
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=MOST_PERCENT, amount=0, currency="")
                | (Q(percent=0, amount__gt=0) & ~Q(currency="")),
                name="pricing_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="pricing_window_not_empty"
            ),
        )

    def __str__(self) -> str:
        off = f"{self.percent} %" if self.percent else f"{self.amount} {self.currency}"
        return f"{off} off {self.sku}"


class Untaxed(models.Model):
    """A SKU that is sold without tax wherever it goes: a gift card, for one. The others have it."""

    sku = models.CharField(max_length=64, primary_key=True)

    class Meta:
        verbose_name_plural = "untaxed"

    def __str__(self) -> str:
        return self.sku


class Coupon(models.Model):
    """Something off a whole order. `redeemed` never exceeds `limit`."""

    code = models.CharField(max_length=40, primary_key=True)
    percent = models.PositiveSmallIntegerField(default=0)
    amount = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    minimum = models.BigIntegerField(default=0)
    minimum_currency = models.CharField(max_length=3, blank=True)
    limit = models.PositiveIntegerField(null=True, blank=True)
    redeemed = models.PositiveIntegerField(default=0, editable=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=MOST_PERCENT, amount=0, currency="")
                | (Q(percent=0, amount__gt=0) & ~Q(currency="")),
                name="pricing_coupon_percent_or_amount",
            ),
            models.CheckConstraint(
                condition=Q(limit__isnull=True) | Q(redeemed__lte=F("limit")),
                name="pricing_coupon_within_limit",
            ),
        )

    def __str__(self) -> str:
        return self.code


class Redemption(models.Model):
    """A coupon used for one order."""

    reference = models.UUIDField(primary_key=True)
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="redemptions")
    redeemed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.coupon_id} for {self.reference}"

"""Stock, and the shelves it lies on."""

import logging
from decimal import Decimal

from catalog.models import Product
from django.conf import settings
from django.db import models
from django.db.models.signals import post_save
from django.dispatch import receiver

logger = logging.getLogger(__name__)
LOWEST = 3


def new_code() -> str:
    """A code that nobody has."""
    return f"S{Stock.objects.count() + 1}"


class Stamped(models.Model):
    """A model that knows when it was made."""

    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ["pk"]


class Shelf(Stamped):
    """A place."""

    name = models.CharField(max_length=20)
    favourite = models.ForeignKey("Stock", on_delete=models.SET_NULL, null=True, related_name="+")

    def stocks(self) -> "models.QuerySet[Stock]":
        """What lies here."""
        return Stock.objects.filter(shelf=self)

    def first(self, default: "Stock | None" = None) -> "Stock | None":
        """The first stock."""
        return self.stocks().first() or default


class StockQuerySet(models.QuerySet):
    """Questions about stock."""

    def low(self) -> "StockQuerySet":
        """What is nearly gone."""
        return self.filter(quantity__lt=LOWEST)


# How much of a thing there is.
class Stock(Stamped):
    """A quantity of a product on a shelf."""

    code = models.CharField(max_length=20, default=new_code, unique=True)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="stocks")
    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    tags = models.ManyToManyField("catalog.Tag", blank=True)
    substitutes = models.ManyToManyField("self", blank=True)
    parent = models.ForeignKey("Stock", on_delete=models.SET_NULL, null=True)
    quantity = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal(1))

    objects = StockQuerySet.as_manager()

    class Meta(Stamped.Meta):
        indexes = [models.Index(fields=["code", "quantity"])]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gte=0), name="%(app_label)s_quantity_positive"
            ),
            models.UniqueConstraint(fields=["product", "shelf"], name="one_stock_per_shelf"),
        ]
        permissions = [("count_stock", "Can count stock")]

    def neighbours(self) -> list[str]:
        """Codes of what lies beside it."""
        logger.info("looking around %s", self.code)
        shelf = Shelf.objects.get(pk=self.shelf_id)
        return [stock.code for stock in shelf.stocks().exclude(pk=self.pk)]


class Movement(models.Model):
    """A change of a stock."""

    stock = models.ForeignKey(Stock, on_delete=models.CASCADE, related_name="movements")
    quantity = models.IntegerField()


@receiver(post_save, sender=Stock)
def log_stock(instance: Stock, **kwargs: object) -> None:
    """Note that a stock was saved."""
    logger.info("saved %s", instance.code)

"""Orders and their lines."""

from catalog.models import Product
from django.db import models
from shop.models import Stock


class Order(models.Model):
    """What somebody wants."""

    stocks = models.ManyToManyField(Stock, through="Line", related_name="orders")


class Line(models.Model):
    """One stock in an order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE)
    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="lines")
    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="lines", verbose_name="what"
    )
    gift = models.OneToOneField(
        "catalog.Tag", models.SET_NULL, null=True, blank=True, related_name="gift_of"
    )
    quantity = models.IntegerField(default=1)

    class Meta:
        unique_together = [("order", "product")]
        indexes = [models.Index(fields=["product", "quantity"], name="line_by_product")]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "stock"],
                condition=models.Q(product__isnull=False),
                name="one_line_per_stock",
            )
        ]

    def product_key(self) -> int:
        """The key of the product."""
        return self.product.pk

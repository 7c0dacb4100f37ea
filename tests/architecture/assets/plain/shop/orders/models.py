"""What was bought."""

from django.db import models


class Order(models.Model):
    """An order."""

    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="orders"
    )
    products = models.ManyToManyField("catalogue.Product", related_name="orders")
    placed_at = models.DateTimeField(auto_now_add=True)

"""What is sold."""

from django.db import models


class Product(models.Model):
    """A product."""

    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)

"""Where things are kept."""

from django.db import models


class Warehouse(models.Model):
    """A building."""

    name = models.CharField(max_length=20)
    main_stock = models.ForeignKey("shop.Stock", on_delete=models.SET_NULL, null=True)

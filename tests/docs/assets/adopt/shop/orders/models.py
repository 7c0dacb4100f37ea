from django.db import models


class Order(models.Model):
    stock = models.ForeignKey("stock.Stock", on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField()

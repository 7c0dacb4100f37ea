from django.conf import settings
from django.db import models


class Order(models.Model):
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    stock_id = models.UUIDField()


class Line(models.Model):
    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE)
    before = models.ForeignKey("self", on_delete=models.CASCADE)
    other = models.OneToOneField("Order", on_delete=models.CASCADE)

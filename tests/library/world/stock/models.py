from django.db import models


class Item(models.Model):
    sku = models.TextField(primary_key=True)
    left = models.IntegerField()

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(left__gte=0), name="stock_left"),)


class Hold(models.Model):
    sku = models.TextField()
    quantity = models.IntegerField()

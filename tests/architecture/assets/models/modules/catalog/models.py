from django.contrib.contenttypes.models import ContentType
from django.db import models


class Named(models.Model):
    name = models.CharField(max_length=80)

    class Meta:
        abstract = True

    def is_sold(self):
        return self.line_set.exists()  # caught: reverse-accessor

    def is_tagged(self):
        return self.tags.exists()  # caught: reverse-accessor


class Maker(models.Model):
    name = models.CharField(max_length=80)


class Product(Named):
    maker = models.ForeignKey(Maker, on_delete=models.CASCADE, related_name="products")
    price = models.IntegerField()

    class Meta:
        ordering = ["name"]


class Note(models.Model):
    kind = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    number = models.BigIntegerField()


class Shelf(models.Model):
    label = models.CharField(max_length=10)
    mark = models.UUIDField(primary_key=True)


class Membership(models.Model):
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE)
    club = models.ForeignKey("orders.Club", on_delete=models.CASCADE)  # caught: foreign-key

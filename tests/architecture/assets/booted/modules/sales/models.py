from django.conf import settings
from django.contrib.contenttypes.fields import GenericRelation
from django.db import models

from modules.stock.models import Article, Described, Note


class Sale(models.Model):
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="sales")
    notes = GenericRelation(Note, "subject_id", "kind")

    class Meta:
        ordering = ["-article__sku"]


class Line(models.Model):
    sale = models.ForeignKey("sales.Sale", on_delete=models.CASCADE)
    first = models.OneToOneField("stock.Article", on_delete=models.CASCADE, related_name="+")
    article = models.ForeignKey("stock.article", on_delete=models.CASCADE)
    others = models.ManyToManyField("stock.Article", related_name="+")
    paired = models.ManyToManyField("sales.Sale", through="stock.Pair", related_name="+")


class Cheap(Article):
    class Meta:
        proxy = True


class Dear(Article):
    price = models.IntegerField()


class Text(Described):
    pass

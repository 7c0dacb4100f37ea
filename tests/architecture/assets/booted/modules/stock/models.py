from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Described(models.Model):
    text = models.TextField()

    class Meta:
        abstract = True


class Shelf(models.Model):
    name = models.CharField(max_length=10)


class Article(models.Model):
    sku = models.CharField(max_length=10)
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE)


class Note(models.Model):
    kind = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    subject_id = models.PositiveBigIntegerField()
    subject = GenericForeignKey("kind", "subject_id")


class Pair(models.Model):
    line = models.ForeignKey("sales.Line", on_delete=models.CASCADE)
    sale = models.ForeignKey("sales.Sale", on_delete=models.CASCADE)


def restock(article):
    article.line_set.all()
    return article.sales.count(), article.shelf.article_set.count()

"""Catalog's tables."""

from django.db import models


class Product(models.Model):
    """Something that is for sale, in one or more variants."""

    id = models.UUIDField(primary_key=True)
    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=5000)
    image = models.CharField(max_length=200)

    class Meta:
        # The order of the list, which pages continue from.
        indexes = (models.Index(fields=["title", "slug"], name="catalog_by_title"),)

    def __str__(self) -> str:
        return self.title


class Variant(models.Model):
    """One thing that can be bought. A withdrawn one keeps its row, so that no SKU changes hands."""

    sku = models.CharField(max_length=64, primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField()
    withdrawn = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.sku

"""Catalog's tables."""

from django.db import models


class Category(models.Model):
    """A main category, or a subcategory of one: two levels, so that a page needs no recursion."""

    slug = models.SlugField(max_length=100, primary_key=True)
    title = models.CharField(max_length=100)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="subcategories"
    )
    # How many products are on sale in this very category: every page shows it, so that it is not
    # counted anew each time. Whoever changes it locks the row before those of products.
    on_sale = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.title


class Product(models.Model):
    """Something that is for sale, in one or more variants. A withdrawn one keeps its row.

    Options, images and tags are read and written with their product only, so they are columns of
    it. `section` is the main category above `category`, repeated here for the index below.
    """

    id = models.UUIDField(primary_key=True)
    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(max_length=10_000)
    image = models.CharField(max_length=200)
    images = models.JSONField(default=list)
    options = models.JSONField(default=list)
    tags = models.JSONField(default=list)
    category = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, db_index=False, related_name="products"
    )
    section = models.ForeignKey(
        Category, on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    withdrawn = models.BooleanField(default=False)

    class Meta:
        # The orders of the lists, which pages continue from. `withdrawn` is a column of them, not
        # a condition: counts are then read from the index alone.
        indexes = (
            models.Index(fields=["withdrawn", "title", "slug"], name="catalog_by_title"),
            models.Index(
                fields=["category", "withdrawn", "title", "slug"], name="catalog_by_category"
            ),
            models.Index(
                fields=["section", "withdrawn", "title", "slug"], name="catalog_by_section"
            ),
        )

    def __str__(self) -> str:
        return self.title


class Variant(models.Model):
    """One thing that can be bought. A withdrawn one keeps its row, so that no SKU changes hands."""

    sku = models.CharField(max_length=64, primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    name = models.CharField(max_length=100)
    position = models.PositiveSmallIntegerField()
    options = models.JSONField(default=list)
    image = models.CharField(max_length=200, default="")
    withdrawn = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.sku

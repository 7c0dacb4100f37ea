from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q

from modules.catalog.models import Named, Product


class LineQuerySet(models.QuerySet):
    def of(self, name):
        return self.filter(product__name=name)  # caught: lookup


class Order(models.Model):
    number = models.CharField(max_length=20)
    data = models.JSONField(default=dict)
    seen = models.ManyToManyField("catalog.Product", related_name="+")  # caught: many-to-many
    kind = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    key = models.BigIntegerField()
    subject = GenericForeignKey("kind", "key")  # caught: generic-foreign-key
    notes = GenericRelation(  # caught: generic-relation
        "catalog.Note", content_type_field="kind", object_id_field="number", related_query_name="noted"
    )


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(  # caught: foreign-key
        "catalog.Product", on_delete=models.CASCADE
    )
    quantity = models.IntegerField()
    objects = LineQuerySet.as_manager()

    class Meta:
        ordering = ["product__name"]  # caught: lookup
        constraints = [
            models.CheckConstraint(
                condition=Q(product__price__gt=0),  # caught: lookup
                name="dear",
            ),
        ]
        indexes = [models.Index(F("product__maker"), name="made")]  # caught: lookup


class Place(models.Model):
    shelf = models.OneToOneField("catalog.Shelf", on_delete=models.CASCADE)  # caught: one-to-one


class Bundle(models.Model):
    shelf = models.ForeignKey(  # caught: foreign-key
        "catalog.Shelf", on_delete=models.CASCADE, related_name="groups"
    )


class Wish(models.Model):
    who = models.CharField(max_length=10)
    about = models.ForeignKey(  # caught: foreign-key
        Product, on_delete=models.CASCADE, related_name="wished_by"
    )


class Based(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")  # caught: foreign-key

    class Meta:
        abstract = True


class First(Based):
    pass


class Second(Based):
    pass


class CheapProduct(Product):  # caught: model-inheritance
    class Meta:
        proxy = True


class Book(Product):  # caught: model-inheritance
    pages = models.IntegerField()


class Label(Named):  # caught: model-inheritance
    pass


class OwnNamed(Named):  # caught: model-inheritance
    class Meta:
        abstract = True


class Sticker(OwnNamed):
    pass


class Club(models.Model):
    groups = models.ManyToManyField(  # caught: many-to-many
        "auth.Group", through="catalog.Membership"
    )


class Tag(models.Model):
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="tags")

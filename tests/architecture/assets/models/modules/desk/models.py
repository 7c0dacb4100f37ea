"""Only what is allowed: relations inside, to users, to apps that are no module."""

from django.conf import settings
from django.contrib.contenttypes.fields import GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Stamped(models.Model):
    made = models.DateTimeField()

    class Meta:
        abstract = True


class Ticket(Stamped):
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)  # allowed: foreign-key
    kind = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    product_id = models.BigIntegerField()
    groups = models.ManyToManyField("auth.Group", through="Queue")  # allowed: many-to-many
    remarks = GenericRelation(  # allowed: generic-relation
        "people.Remark", content_type_field="kind", object_id_field="number"
    )

    class Meta:
        ordering = ["by__username"]  # allowed: lookup


class Queue(models.Model):
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE)
    group = models.ForeignKey("auth.Group", on_delete=models.CASCADE)
    after = models.OneToOneField("self", on_delete=models.CASCADE, null=True)  # allowed: one-to-one


class Urgent(Ticket):  # allowed: model-inheritance
    class Meta:
        proxy = True


class Reply(Ticket):  # allowed: model-inheritance
    text = models.TextField()

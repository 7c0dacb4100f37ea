from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.db import models

from modules.inventory.models import Stock


class Line(models.Model):
    stock = models.ForeignKey("inventory.Stock", on_delete=models.CASCADE)
    shelf: models.OneToOneField = models.OneToOneField(Stock, on_delete=models.CASCADE)
    places = models.ManyToManyField(to="inventory.Stock", related_name="+")
    subject = GenericForeignKey("kind", "subject_id")
    notes = GenericRelation("inventory.Stock")

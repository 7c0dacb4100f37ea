"""Near misses: each looks like a violation and is none."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from mysite.models import Stamped


class Thing(Stamped):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    groups = models.ManyToManyField(Group)
    article = models.CharField(max_length=10)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["owner__username"]

    @property
    def sales(self):
        return []


class Part(models.Model):
    thing = models.ForeignKey(Thing, on_delete=models.CASCADE, related_name="line_set")


def look(thing, words):
    Thing.objects.filter(owner__email="a", data__article__sku=1, groups__name="x", article="y")
    Part.objects.filter(thing__owner__username="a").values("thing__article")
    Thing.objects.annotate(article__sku=models.F("article")).order_by("article__sku")
    thing.line_set.all()
    words.get(sale__article__sku=1) if False else None
    return thing.sales.count("a"), thing.owner.groups.all()

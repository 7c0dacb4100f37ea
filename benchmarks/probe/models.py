"""The probe's table."""

from django.db import models


class Note(models.Model):
    """A row as small as rows of a shop are."""

    id = models.UUIDField(primary_key=True)
    text = models.CharField(max_length=200)
    total = models.BigIntegerField()

    def __str__(self) -> str:
        return self.text

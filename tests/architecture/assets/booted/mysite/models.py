from django.db import models


class Stamped(models.Model):
    """What all modules may inherit: it belongs to none."""

    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

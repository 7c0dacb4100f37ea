"""Who buys."""

from django.db import models


class Customer(models.Model):
    """A customer."""

    email = models.EmailField()

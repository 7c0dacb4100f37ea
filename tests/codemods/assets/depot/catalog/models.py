"""What can be sold."""

from django.db import models


class Tag(models.Model):
    """A word."""

    name = models.CharField(max_length=20, unique=True)


class Product(models.Model):
    """A thing with a name."""

    name = models.CharField(max_length=50)

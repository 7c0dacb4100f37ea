"""Users belong to no module."""

from django.contrib.auth.models import AbstractUser
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models


class User(AbstractUser):
    pass


class Remark(models.Model):
    kind = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    number = models.BigIntegerField()
    subject = GenericForeignKey("kind", "number")  # allowed: generic-foreign-key

"""Profiles' tables."""

from django.db import models
from django.db.models import Q

from monolift import uuid7


class Profile(models.Model):
    """A customer. Whatever changes their addresses locks this row first."""

    user_id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    newsletter = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name or str(self.user_id)


class Address(models.Model):
    """Where a customer has parcels sent. Ids rise with time."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="addresses")
    name = models.CharField(max_length=100)
    street = models.CharField(max_length=200)
    city = models.CharField(max_length=100)
    postcode = models.CharField(max_length=20)
    country = models.CharField(max_length=2)
    default = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "addresses"
        constraints = (
            models.UniqueConstraint(
                fields=["profile"], condition=Q(default=True), name="profiles_one_default"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"

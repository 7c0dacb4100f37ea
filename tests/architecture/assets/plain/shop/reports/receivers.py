"""What the reports hear."""

from typing import Any

from django.core.cache import cache
from django.db.models.signals import post_save
from django.dispatch import receiver

from shop.orders.models import Order


@receiver(post_save, sender=Order)
def forget(**_: Any) -> None:
    """Another app's cache."""
    cache.delete("catalogue:top")

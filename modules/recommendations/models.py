"""Recommendations' tables.

Numbers belong to a generation: one is read, and while everything is counted anew, a second one is
being built. Both are counted into until the new one takes over, in one commit.
"""

from django.db import models


class GenerationManager(models.Manager["Generation"]):
    """There is one row, or none before the first rebuild."""

    def now(self) -> "Generation":
        """How it stands."""
        return self.first() or Generation()


class Generation(models.Model):
    """Which generation is read, and which is being built."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    current = models.PositiveIntegerField(default=1)
    building = models.PositiveIntegerField(null=True)

    objects = GenerationManager()

    def __str__(self) -> str:
        return f"generation {self.current}"


class CountedOrder(models.Model):
    """An order that a generation has counted. An order that is told again is found here."""

    generation = models.PositiveIntegerField()
    order_id = models.UUIDField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["generation", "order_id"], name="recommendations_order_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.order_id)


class Pair(models.Model):
    """In how many orders `other` was beside `sku`. Each two are kept both ways round."""

    generation = models.PositiveIntegerField()
    sku = models.CharField(max_length=64)
    other = models.CharField(max_length=64)
    orders = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["generation", "sku", "other"], name="recommendations_pair_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.other} with {self.sku}"


class Popularity(models.Model):
    """In how many orders a SKU was."""

    generation = models.PositiveIntegerField()
    sku = models.CharField(max_length=64)
    orders = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "popularity"
        constraints = (
            models.UniqueConstraint(
                fields=["generation", "sku"], name="recommendations_popularity_once"
            ),
        )
        indexes = (
            models.Index(
                "generation", models.F("orders").desc(), "sku", name="recommendations_top"
            ),
        )

    def __str__(self) -> str:
        return f"{self.sku}: {self.orders}"

"""Inventory's tables.

For every SKU, at every commit: received = available + what holds in state `held` or `taken` name.
"""

from collections.abc import Iterable, Sequence

from django.db import models
from django.db.models import Case, F, Q, Value, When


class StockManager(models.Manager["Stock"]):
    """How stock moves. Several SKUs move in their order, so that no two movements deadlock."""

    def take_out(self, wanted: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
        """Take (SKU, quantity) pairs, given in order of SKU, or none of them.

        Gives the first SKU there is too little of, with what is left of it; None when all is taken.
        One SKU is one conditional statement. Several are two: their rows are locked in order, then
        changed at once.
        """
        skus = [sku for sku, _ in wanted]
        here = self.filter(sku__in=skus).order_by("sku")
        if len(wanted) > 1:
            left = dict(here.select_for_update().values_list("sku", "available"))
            for sku, quantity in wanted:
                if left.get(sku, 0) < quantity:
                    return sku, left.get(sku, 0)
        taken = Case(
            *(When(sku=sku, then=Value(quantity)) for sku, quantity in wanted),
            output_field=models.IntegerField(),
        )
        enough = self.filter(sku__in=skus, available__gte=taken)
        if enough.update(available=F("available") - taken) == len(wanted):
            return None
        return skus[0], here.values_list("available", flat=True).first() or 0

    def give_back(self, lines: Iterable[tuple[str, int]]) -> None:
        """Make (SKU, quantity) pairs available again."""
        for sku, quantity in sorted(lines):
            self.filter(sku=sku).update(available=F("available") + quantity)


class Stock(models.Model):
    """How many of a SKU were ever received, and how many of them can be bought now."""

    sku = models.CharField(max_length=64, primary_key=True)
    available = models.BigIntegerField()
    received = models.BigIntegerField()

    objects = StockManager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(available__gte=0), name="inventory_never_oversold"),
            models.CheckConstraint(
                condition=Q(available__lte=F("received")), name="inventory_nothing_from_nowhere"
            ),
        )

    def __str__(self) -> str:
        return self.sku


class Hold(models.Model):
    """Stock set aside for a reference. `lines` are [SKU, quantity] pairs, which never change."""

    class State(models.TextChoices):
        """`held` until it is taken, released, or lapses; taken stock can still be released."""

        HELD = "held"
        TAKEN = "taken"
        RELEASED = "released"
        LAPSED = "lapsed"

    id = models.UUIDField(primary_key=True)
    reference = models.UUIDField(unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.HELD)
    lines = models.JSONField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.state} for {self.reference}"

    def leave(self, *states: "Hold.State", to: "Hold.State") -> bool:
        """Change the state if it is one of `states`; False when another was faster."""
        here = Hold.objects.filter(pk=self.pk, state__in=states)
        return here.update(state=to) == 1


class Receipt(models.Model):
    """A delivery of goods that was counted in. `lines` are [SKU, quantity] pairs."""

    reference = models.UUIDField(primary_key=True)
    lines = models.JSONField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.reference)

"""Inventory's tables.

For every SKU, at every commit: received = available + what holds in state `held` or `taken` name.
"""

from collections.abc import Iterable, Sequence

from django.db import connections, models
from django.db.models import Case, F, Q, Value, When

from modules.inventory.events import StockLow
from monolift import publish


class StockManager(models.Manager["Stock"]):
    """How stock moves. Several SKUs move in their order, so that no two movements deadlock."""

    def take_out(self, wanted: Sequence[tuple[str, int]]) -> tuple[str, int] | None:
        """Take (SKU, quantity) pairs, given in order of SKU, or none of them.

        Gives the first SKU there is too little of, with what is left of it; None when all is taken.
        One SKU is one conditional statement. Several are two: their rows are locked in order, then
        changed at once. Either says what is low from now on, so watching costs no statement.
        """
        if len(wanted) == 1:
            return self._take_one(*wanted[0])
        skus = [sku for sku, _ in wanted]
        here = self.filter(sku__in=skus).order_by("sku").select_for_update()
        found = {stock.sku: stock for stock in here}
        for sku, quantity in wanted:
            left = found[sku].available if sku in found else 0
            if left < quantity:
                return sku, left
        taken = Case(
            *(When(sku=sku, then=Value(quantity)) for sku, quantity in wanted),
            output_field=models.IntegerField(),
        )
        self.filter(sku__in=skus).update(available=F("available") - taken)
        for sku, quantity in wanted:
            left, threshold = found[sku].available, found[sku].threshold
            announce_if_low(sku=sku, before=left, after=left - quantity, threshold=threshold)
        return None

    def _take_one(self, sku: str, quantity: int) -> tuple[str, int] | None:
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                "UPDATE inventory_stock SET available = available - %s "
                "WHERE sku = %s AND available >= %s RETURNING available, threshold",
                (quantity, sku, quantity),
            )
            changed = cursor.fetchall()
        if not changed:
            return sku, self.filter(sku=sku).values_list("available", flat=True).first() or 0
        [(left, threshold)] = changed
        announce_if_low(sku=sku, before=left + quantity, after=left, threshold=threshold)
        return None

    def give_back(self, lines: Iterable[tuple[str, int]]) -> None:
        """Make (SKU, quantity) pairs available again."""
        for sku, quantity in sorted(lines):
            self.filter(sku=sku).update(available=F("available") + quantity)


def announce_if_low(*, sku: str, before: int, after: int, threshold: int | None) -> None:
    """Publish StockLow if a movement from `before` to `after` reached or crossed the threshold."""
    if threshold is not None and after <= threshold < before:
        publish(StockLow(sku=sku, available=after, threshold=threshold))


class Stock(models.Model):
    """How many of a SKU were ever received, and how many of them can be bought now.

    It is low when no more than `threshold` can be bought; without one it never is.
    """

    sku = models.CharField(max_length=64, primary_key=True)
    available = models.BigIntegerField()
    received = models.BigIntegerField()
    threshold = models.BigIntegerField(null=True)

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

    @property
    def low(self) -> bool:
        """Whether no more can be bought than the threshold, if there is one."""
        return self.threshold is not None and self.available <= self.threshold


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

    class Meta:
        # Few holds are open at a time, among all there ever were.
        indexes = (
            models.Index(
                fields=("expires_at",), condition=Q(state="held"), name="inventory_open_holds"
            ),
        )

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


class Adjustment(models.Model):
    """A correction of stock, kept for good. `available` is what could be bought after it."""

    id = models.UUIDField(primary_key=True)
    reference = models.UUIDField(unique=True)
    sku = models.CharField(max_length=64)
    by = models.BigIntegerField()
    reason = models.CharField(max_length=8)
    available = models.BigIntegerField()
    who = models.TextField()
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("sku", "-id"), name="inventory_trail"),)

    def __str__(self) -> str:
        return f"{self.sku} {self.by:+d}, {self.reason}"

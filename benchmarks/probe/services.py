"""The probe's answers."""

import time
from collections.abc import Sequence
from uuid import UUID, uuid4

from benchmarks.probe.interface import Placed, PricedLine, Probe, WantedLine
from benchmarks.probe.models import Note
from monolift import atomic
from monolift.kernel import Money

TEN_LINES = tuple(WantedLine(sku=f"SKU-{number:04}", quantity=number + 1) for number in range(10))
_PLACED = Placed(
    id=UUID(int=7),
    lines=tuple(
        PricedLine(
            sku=line.sku,
            title=f"Article {line.sku}, plain",
            quantity=line.quantity,
            unit=Money(1250, "EUR"),
            total=Money(1250 * line.quantity, "EUR"),
        )
        for line in TEN_LINES
    ),
    total=Money(1250 * 55, "EUR"),
)


class ProbeService(Probe):
    """Answers `Probe`."""

    def look(self, *, number: int) -> int:
        """See `Probe.look`."""
        return number

    def work(self, *, milliseconds: int) -> int:
        """See `Probe.work`."""
        time.sleep(milliseconds / 1000)
        return milliseconds

    def priced(self, *, lines: Sequence[WantedLine]) -> Placed:
        """See `Probe.priced`."""
        return _PLACED

    def place(self, *, reference: UUID, lines: Sequence[WantedLine]) -> Placed:
        """See `Probe.place`."""
        return _PLACED

    def note(self, *, text: str, total: int) -> None:
        """See `Probe.note`."""
        with atomic():
            note = Note.objects.create(id=uuid4(), text=text, total=total)
            Note.objects.filter(pk=note.pk).update(total=total + 1)

"""A saga of three steps: two in another module, one of its own."""

from uuid import UUID

from benchmarks.probe.models import Note
from modules.inventory.interface import Inventory, Line, Sku
from monolift import Saga, step, use

inventory = use(Inventory)


class Walk(Saga, version=1):
    """Hold, take, note."""

    reference: UUID
    sku: str

    @step(calls=Inventory.reserve)
    def hold(self) -> None:
        inventory.reserve(reference=self.reference, lines=[Line(sku=Sku(self.sku), quantity=1)])

    @hold.undo
    def release(self) -> None:
        inventory.release(reference=self.reference)

    @step(calls=Inventory.take)
    def take(self) -> None:
        inventory.take(reference=self.reference)

    @take.undo
    def give_back(self) -> None:
        inventory.release(reference=self.reference)

    @step
    def note(self) -> None:
        Note.objects.create(id=self.reference, text=self.sku, total=1)

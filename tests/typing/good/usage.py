"""Using the declarations: implementation, calls, subscription, publication, saga."""

from collections.abc import Mapping, Sequence
from typing import assert_type
from uuid import UUID, uuid4

from monolift import override, publish, subscribe, use
from monolift.kernel import Money, Saga, SagaRun, days, step
from tests.typing.good.contracts import (
    Hold,
    InsufficientStock,
    Inventory,
    Line,
    OrderPlaced,
    Payments,
    ShipmentBooked,
    Sku,
)


class InventoryService(Inventory):
    """An implementation: the same names, parameters and answers, undecorated."""

    def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, int]:
        return dict.fromkeys(skus, 1)

    def names(self) -> tuple[str, ...]:
        return ()

    def reserve(self, *, reference: UUID, lines: Sequence[Line]) -> Hold:
        for line in lines:
            if line.quantity > 1:
                raise InsufficientStock(sku=line.sku, available=1)
        return Hold(id=reference, lines=tuple(lines))

    def release(self, *, reference: UUID) -> None: ...


service = InventoryService()

inventory = use(Inventory)
payments = use(Payments)
assert_type(inventory, Inventory)
assert_type(inventory.available(skus=[Sku("A")]), Mapping[Sku, int])
assert_type(inventory.reserve(reference=uuid4(), lines=[]).lines, tuple[Line, ...])

with override(Inventory, InventoryService()) as fake:
    fake.release(reference=uuid4())


@subscribe(OrderPlaced)
def count(event: OrderPlaced) -> None:
    assert_type(event.total, Money)


count(OrderPlaced(order_id=uuid4(), total=Money(100, "EUR")))
publish(OrderPlaced(order_id=uuid4(), total=Money(100, "EUR")))


class Checkout(Saga, version=1):
    """Turn a basket into a paid, reserved order, or leave nothing behind."""

    order_id: UUID
    lines: tuple[Line, ...]
    hold_id: UUID | None = None
    payment_id: UUID | None = None

    @step(calls=Inventory.reserve)
    def reserve(self) -> None:
        self.hold_id = inventory.reserve(reference=self.order_id, lines=self.lines).id

    @reserve.undo
    def release(self) -> None:
        inventory.release(reference=self.order_id)

    @step(calls=(Payments.authorise, Inventory.available))
    def authorise(self) -> None:
        amount = Money(100, "EUR")
        self.payment_id = payments.authorise(reference=self.order_id, amount=amount)

    @authorise.undo
    def cancel(self) -> None: ...

    @step
    def place(self) -> None: ...

    @step(calls=Payments, pivot=True)
    def capture(self) -> None: ...

    @step(awaits=ShipmentBooked, match="order_id", within=days(2))
    def ship(self, event: ShipmentBooked) -> None:
        assert_type(event.tracking, str)

    @step(awaits=(ShipmentBooked, OrderPlaced), match="order_id", answer=True)
    def either(self, event: ShipmentBooked | OrderPlaced) -> None:
        assert_type(event.order_id, UUID)


assert_type(Checkout.start(key="k", order_id=uuid4(), lines=()), SagaRun[Checkout])
assert_type(Checkout.run(key="k", order_id=uuid4(), lines=(), timeout=3).state, Checkout)

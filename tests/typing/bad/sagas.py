"""Wrong steps, wrong undos, wrong starts."""

from uuid import UUID, uuid4

from monolift import use
from monolift.kernel import Saga, step
from tests.typing.good.contracts import Inventory, Line, OrderPlaced, ShipmentBooked

inventory = use(Inventory)


class Basket:
    def fill(self, *, reference: UUID) -> None: ...


class Other(Saga, version=1):
    @step
    def begin(self) -> None: ...

    @begin.undo
    def back(self) -> None: ...


class Checkout(Saga, version=1):
    order_id: UUID
    lines: tuple[Line, ...]
    hold_id: UUID | None = None

    @step  # expect: mypy, pyright
    def with_an_argument(self, amount: int) -> None: ...

    @step  # expect: mypy, pyright
    def with_an_answer(self) -> int:
        return 1

    @step
    def sound(self) -> None: ...

    @sound.undo  # expect: mypy, pyright
    def undo_with_an_argument(self, amount: int) -> None: ...

    @Other.begin.undo  # expect: mypy, pyright
    def undo_of_another_saga(self) -> None: ...  # expect: mypy

    @step(calls="inventory")  # expect: mypy, pyright
    def calls_a_name(self) -> None: ...

    @step(calls=OrderPlaced)  # expect: mypy, pyright
    def calls_an_event(self) -> None: ...

    @step(calls=Basket.fill)  # expect: mypy, pyright
    def calls_a_method_of_no_interface(self) -> None: ...

    @step(calls=uuid4)  # expect: mypy, pyright
    def calls_a_function(self) -> None: ...

    @step(calls=(Inventory.reserve, OrderPlaced))  # expect: mypy, pyright
    def calls_a_tuple(self) -> None: ...

    @step(awaits=OrderPlaced, match="order_id")  # expect: mypy, pyright
    def awaits_another_event(self, event: ShipmentBooked) -> None: ...

    @step(awaits=(OrderPlaced, ShipmentBooked), match="order_id")  # expect: mypy, pyright
    def awaits_either_and_takes_one(self, event: ShipmentBooked) -> None: ...

    @step(awaits=OrderPlaced, match="order_id")  # expect: mypy, pyright
    def awaits_without_the_event(self) -> None: ...

    @step(awaits=OrderPlaced)  # expect: mypy, pyright
    def awaits_without_a_match(self, event: OrderPlaced) -> None: ...

    @step(awaits=Line, match="sku")  # expect: mypy, pyright
    def awaits_no_event(self, event: Line) -> None: ...

    @step(pivot="yes")  # expect: mypy, pyright
    def with_a_wrong_option(self) -> None: ...

    @step(calls=Inventory.reserve)
    def reserve(self) -> None:
        hold = inventory.reserve(reference=self.order_id, lines=self.lines)
        self.hold_id = hold  # expect: mypy, pyright


Checkout.start(key="k", order_id=uuid4())  # expect: mypy, pyright
Checkout.start(key="k", order_id="1", lines=())  # expect: mypy, pyright
Checkout.start(order_id=uuid4(), lines=())  # expect: mypy, pyright
Checkout.run(key="k", order_id=uuid4(), lines=(), timeout="3")  # expect: mypy, pyright
Checkout.run(key="k", order_id=uuid4(), lines=()).state.basket  # expect: mypy, pyright

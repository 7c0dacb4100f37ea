"""Wrong handlers and wrong publications."""

from uuid import uuid4

from monolift import publish, subscribe
from monolift.kernel import Money
from tests.typing.good.contracts import Line, OrderPlaced, ShipmentBooked, Sku

total = Money(100, "EUR")


@subscribe(OrderPlaced)  # expect: mypy, pyright
def of_another_event(event: ShipmentBooked) -> None: ...


@subscribe(OrderPlaced)  # expect: mypy, pyright
def without_the_event() -> None: ...


@subscribe(OrderPlaced)  # expect: mypy, pyright
def with_one_more(event: OrderPlaced, extra: int) -> None: ...


@subscribe(Line)  # expect: mypy, pyright
def of_no_event(event: Line) -> None: ...


@subscribe("orders.order_placed.v1")  # expect: mypy, pyright
def of_a_name(event: OrderPlaced) -> None: ...


publish(Line(sku=Sku("A"), quantity=1))  # expect: mypy, pyright
publish(OrderPlaced)  # expect: mypy, pyright

OrderPlaced(uuid4(), total)  # expect: mypy, pyright
OrderPlaced(order_id=uuid4())  # expect: mypy, pyright
OrderPlaced(order_id="1", total=total)  # expect: mypy, pyright
OrderPlaced(order_id=uuid4(), total=total, note="")  # expect: mypy, pyright
OrderPlaced(order_id=uuid4(), total=total).total = total  # expect: mypy, pyright
OrderPlaced(order_id=uuid4(), total=total).sum  # expect: mypy, pyright

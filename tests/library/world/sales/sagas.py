from monolift import Saga, minutes, publish, step
from tests.library.world.sales.events import Dropped, Shipped, Sold
from tests.library.world.sales.models import Sale
from tests.library.world.sales.requires import Cards, SoldOut, Stock, cards, stock
from tests.library.world.stock import faults


class Selling(Saga, version=1):
    """Hold twice, charge, write the sale down, capture, close: external steps in between."""

    sku: str = "a"
    card: str = "good"
    first: int | None = None
    second: int | None = None
    reference: str = ""

    @step(calls=Stock.hold)
    def hold_first(self) -> None:
        faults.reach("hold_first")
        self.first = stock.hold(sku=self.sku, quantity=1)
        faults.reach("hold_first.after")

    @hold_first.undo
    def give_back_first(self) -> None:
        faults.reach("give_back_first")
        if self.first is not None:
            stock.give_back(hold=self.first)
        faults.reach("give_back_first.after")

    @step(calls=Stock.hold)
    def hold_second(self) -> None:
        faults.reach("hold_second")
        self.second = stock.hold(sku="b", quantity=2)
        faults.reach("hold_second.after")

    @hold_second.undo
    def give_back_second(self) -> None:
        faults.reach("give_back_second")
        if self.second is not None:
            stock.give_back(hold=self.second)
        faults.reach("give_back_second.after")

    @step(calls=Cards.authorise)
    def authorise(self) -> None:
        faults.reach("authorise")
        self.reference = cards.authorise(card=self.card, amount=3)
        faults.reach("authorise.after")

    @authorise.undo
    def void(self) -> None:
        faults.reach("void")
        if self.reference:
            cards.void(reference=self.reference)
        faults.reach("void.after")

    @step
    def write_down(self) -> None:
        faults.reach("write_down")
        Sale.objects.create(key=self.key, state="sold")
        publish(Sold(sale=self.key))
        faults.reach("write_down.after")

    @write_down.undo
    def cross_out(self) -> None:
        faults.reach("cross_out")
        Sale.objects.filter(key=self.key).update(state="dropped")
        publish(Dropped(sale=self.key))
        faults.reach("cross_out.after")

    @step(calls=Cards.capture, pivot=True)
    def capture(self) -> None:
        faults.reach("capture")
        cards.capture(reference=self.reference)
        faults.reach("capture.after")

    @step
    def close(self) -> None:
        faults.reach("close")
        Sale.objects.filter(key=self.key).update(state="closed")
        faults.reach("close.after")


class Local(Saga, version=1):
    """All in one process and database: one group, with the pivot inside."""

    first: int | None = None
    second: int | None = None

    @step(calls=Stock.hold)
    def hold_first(self) -> None:
        faults.reach("hold_first")
        self.first = stock.hold(sku="a", quantity=1)
        faults.reach("hold_first.after")

    @hold_first.undo
    def give_back_first(self) -> None:
        faults.reach("give_back_first")
        if self.first is not None:
            stock.give_back(hold=self.first)
        faults.reach("give_back_first.after")

    @step
    def write_down(self) -> None:
        faults.reach("write_down")
        Sale.objects.create(key=self.key, state="sold")
        publish(Sold(sale=self.key))
        faults.reach("write_down.after")

    @write_down.undo
    def cross_out(self) -> None:
        faults.reach("cross_out")
        Sale.objects.filter(key=self.key).update(state="dropped")
        publish(Dropped(sale=self.key))
        faults.reach("cross_out.after")

    @step(pivot=True)
    def decide(self) -> None:
        faults.reach("decide")
        Sale.objects.filter(key=self.key).update(state="decided")
        faults.reach("decide.after")

    @step(calls=Stock.hold)
    def hold_second(self) -> None:
        faults.reach("hold_second")
        self.second = stock.hold(sku="b", quantity=2)
        faults.reach("hold_second.after")

    @step
    def close(self) -> None:
        faults.reach("close")
        Sale.objects.filter(key=self.key).update(state="closed")
        faults.reach("close.after")


class Backorder(Saga, version=1):
    """Swallows a domain error: the callee's half-done work must not stay."""

    held: int | None = None
    backordered: bool = False

    @step(calls=Stock.hold)
    def hold(self) -> None:
        try:
            self.held = stock.hold(sku="a", quantity=100)
        except SoldOut:
            self.backordered = True

    @hold.undo
    def give_back(self) -> None:
        if self.held is not None:
            stock.give_back(hold=self.held)

    @step
    def write_down(self) -> None:
        state = "backordered" if self.backordered else "sold"
        Sale.objects.create(key=self.key, state=state)


class Shipping(Saga, version=1):
    """Waits for an event."""

    sale: str
    parcel: str = ""

    @step
    def write_down(self) -> None:
        Sale.objects.create(key=self.key, state="sold")

    @write_down.undo
    def cross_out(self) -> None:
        Sale.objects.filter(key=self.key).update(state="dropped")

    @step(awaits=Shipped, match="sale", within=minutes(30))
    def ship(self, event: Shipped) -> None:
        self.parcel = event.parcel
        Sale.objects.filter(key=self.key).update(state=f"shipped in {event.parcel}")


class Parcel(Saga, version=1):
    """Answers before all is done; what is left waits for the first of two events."""

    sale: str
    held: int | None = None
    parcel: str = ""

    @step(pivot=True, answer=True)
    def write_down(self) -> None:
        faults.reach("write_down")
        Sale.objects.create(key=self.key, state="sold")

    @step(calls=Stock.hold)
    def hold(self) -> None:
        faults.reach("hold")
        self.held = stock.hold(sku="a", quantity=1)

    @step(awaits=(Shipped, Dropped), match="sale", within=minutes(30))
    def ship(self, event: Shipped | Dropped) -> None:
        self.parcel = event.parcel if isinstance(event, Shipped) else "none"


class Counter(Saga, version=1):
    """Answers at the end of a group; more is done after that."""

    held: int | None = None

    @step(calls=Stock.hold)
    def hold(self) -> None:
        self.held = stock.hold(sku="a", quantity=1)

    @hold.undo
    def give_back(self) -> None:
        if self.held is not None:
            stock.give_back(hold=self.held)

    @step(pivot=True, answer=True)
    def write_down(self) -> None:
        faults.reach("write_down")
        Sale.objects.create(key=self.key, state="sold")

    @step
    def close(self) -> None:
        Sale.objects.filter(key=self.key).update(state="closed")


class Booking(Saga, version=1):
    """As it was: one hold, written down at the end."""

    sale: str
    held: int | None = None

    @step(calls=Stock.hold)
    def hold(self) -> None:
        self.held = stock.hold(sku="a", quantity=1)

    @hold.undo
    def give_back(self) -> None:
        if self.held is not None:
            stock.give_back(hold=self.held)

    @step(awaits=Shipped, match="sale", within=minutes(30))
    def ship(self, event: Shipped) -> None:
        Sale.objects.create(key=self.sale, state=f"old: {event.parcel}")


class BookingInOneGo(Saga, version=2, name="sales.booking"):
    """As it is now: twice as many, and a step more in front."""

    sale: str
    amount: int = 2
    holds: tuple[int, ...] = ()

    @step
    def write_down(self) -> None:
        Sale.objects.create(key=self.sale, state="new")

    @write_down.undo
    def cross_out(self) -> None:
        Sale.objects.filter(key=self.key).update(state="dropped")

    @step(calls=Stock.hold)
    def hold(self) -> None:
        self.holds = (stock.hold(sku="b", quantity=self.amount),)

    @hold.undo
    def give_back(self) -> None:
        for hold in self.holds:
            stock.give_back(hold=hold)

    @step(awaits=Shipped, match="sale", within=minutes(30))
    def ship(self, event: Shipped) -> None:
        Sale.objects.filter(key=self.sale).update(state=f"new: {event.parcel}")

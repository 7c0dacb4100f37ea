from monolift import atomic, subscribe
from tests.library.world.sales.events import Dropped, Sold
from tests.library.world.sales.models import Mail
from tests.library.world.stock import faults
from tests.library.world.stock.events import Counted, Filled


@subscribe(Sold)
def confirm(event: Sold) -> None:
    with atomic():
        Mail.objects.create(about="sold", key=event.sale)


@subscribe(Dropped)
def apologise(event: Dropped) -> None:
    with atomic():
        Mail.objects.create(about="dropped", key=event.sale)


@subscribe(Filled)
def note(event: Filled) -> None:
    with atomic():
        Mail.objects.create(about="filled", key=f"{event.sku}:{event.quantity}")
        faults.reach("note")


@subscribe(Counted)
def note_count(event: Counted) -> None:
    with atomic():
        Mail.objects.create(about="counted", key=str(event.total))

"""Counting all orders anew, beside the numbers that are read, which then take over at once."""

from collections.abc import Callable

from modules.recommendations.models import Generation
from modules.recommendations.requires import orders
from modules.recommendations.services import counting
from monolift import atomic


class TakenOver(Exception):
    """Another rebuild began meanwhile; this one's numbers are dropped."""


def rebuild(*, page: int, report: Callable[[int], None]) -> int:
    """Count every order of `orders` into a new generation and let it take over; their number.

    It may run while orders are placed: what is placed meanwhile counts into both generations. What
    an earlier run left unfinished is dropped first. `report` is told the size of each page.
    """
    with atomic():
        Generation.objects.bulk_create([Generation()], ignore_conflicts=True)
        row = Generation.objects.select_for_update().get()
        generation = max(row.current, row.building or 0) + 1
        counting.forget(generation=row.current)
        Generation.objects.update(building=generation)
    after, total = None, 0
    while True:
        some = orders.bought(after=after, limit=page)
        with atomic():
            counting.count_page(
                generation=generation,
                orders={one.order_id: one.skus for one in some.orders},
            )
        total += len(some.orders)
        report(len(some.orders))
        after = some.next
        if after is None:
            break
    with atomic():
        mine = Generation.objects.filter(building=generation)
        if not mine.update(current=generation, building=None):
            raise TakenOver
        counting.forget(generation=generation)
    return total

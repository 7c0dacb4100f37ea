"""A checkout: its statements, and its time beside the floor's and beside the same work by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID, uuid4, uuid5

from django.conf import settings

from benchmarks import applications, byhand, goods, replay, wire
from benchmarks.context import Context
from benchmarks.figures.calls import in_a_request
from benchmarks.paired import Case, Comparison, compare, once
from benchmarks.results import Result
from benchmarks.wsgi_client import Client
from modules.orders.interface import BasketId, Order, Orders
from monolift import use

GOAL_STATEMENTS = 27  # 25 before it closed its basket (ADR 0066), and asked what is still on sale
GOAL_REQUESTS = 45
GOAL_FLOOR = 3.0
GOAL_BY_HAND = 1.3
LINES = 3


def run(context: Context) -> Iterator[Result]:
    """Counts first, then times."""
    goods.shelve()
    shop, floor = clients()
    for lines in (1, LINES):
        yield from _counts(context, shop, floor, lines)
    for lines in (1, LINES):
        yield Result.ratio(
            compare(
                partial(once, partial(shop_requests, shop, lines)),
                partial(once, partial(floor_requests, floor, lines)),
                pairs=context.pairs(151),
            ),
            figure="checkout",
            what=f"{_requests(lines)} from basket to paid order, {_lines(lines)} / the floor's 5",
            database=context.database,
            # With more lines the shop is asked more often than the floor: shown, not judged.
            goal=GOAL_FLOOR if lines == 1 else None,
        )
    goods.restock()
    with in_a_request():
        yield Result.ratio(
            _by_hand(context),
            figure="checkout",
            what=f"checkout of {_lines(LINES)}, fused / by hand with the same commits",
            database=context.database,
            goal=GOAL_BY_HAND,
        )
        recording, original = record()
        yield Result.ratio(
            _unfused(context, recording, original, by_orm=True),
            figure="checkout",
            what=f"checkout of {_lines(LINES)}, unfused / the same statements by hand",
            database=context.database,
            goal=GOAL_BY_HAND,
        )
        yield Result.ratio(
            _unfused(context, recording, original, by_orm=False),
            figure="checkout",
            what=f"checkout of {_lines(LINES)}, unfused / the same statements as ready-made text",
            database=context.database,
            goal=None,
        )


def _counts(context: Context, shop: Client, floor: Client, lines: int) -> Iterator[Result]:
    counts = (
        ("checkout, fused", len(checkout_statements(lines)), GOAL_STATEMENTS),
        (
            f"the {_requests(lines)} from basket to paid order",
            len(request_statements(shop_requests, shop, lines)),
            GOAL_REQUESTS,
        ),
        ("the floor's 5 requests", len(request_statements(floor_requests, floor, lines)), None),
    )
    for what, count, goal in counts:
        yield Result.count(
            count,
            figure="checkout",
            what=f"SQL statements of {what}, {_lines(lines)}",
            database=context.database,
            goal=goal,
        )


def clients() -> tuple[Client, Client]:
    """The shop as it is deployed, and the floor without the library's middleware."""
    shop = Client(applications.shop(), prefix="/api/v1")
    return shop, Client(applications.plain(), prefix="/floor/v1")


def shop_requests(shop: Client, lines: int) -> Order:
    """One request for each line, then four."""
    basket = uuid4()
    for sku in goods.SKUS[:lines]:
        shop.ask("POST", f"/baskets/{basket}/lines", {"sku": sku, "quantity": 1})
    shop.ask("GET", f"/baskets/{basket}")
    return _rest(shop, str(basket), lines)


def floor_requests(floor: Client, lines: int) -> Order:
    """One request for all lines, then four."""
    body = [{"sku": sku, "quantity": 1} for sku in goods.SKUS[:lines]]
    basket = floor.ask("POST", "/baskets", body).json()["id"]
    floor.ask("GET", f"/baskets/{basket}")
    return _rest(floor, basket, lines)


def _rest(client: Client, basket: str, lines: int) -> Order:
    client.ask("PUT", f"/baskets/{basket}/address", goods.ADDRESS_BODY)
    client.ask("PUT", f"/baskets/{basket}/delivery", {"method": "standard"})
    total = goods.total(lines)
    answer = client.ask(
        "POST",
        f"/baskets/{basket}/order",
        {
            "expected_total": {"amount": total.amount, "currency": total.currency},
            "card_token": goods.CARD,
        },
    )
    order: Order = answer.json()
    return order


def checkout_statements(lines: int) -> list[str]:
    """What one checkout sends."""
    one, basket = goods.baskets(2, lines=lines)
    with in_a_request():
        check_out(BasketId(one), lines)  # what is done once in a process is no part of it
        with wire.sent() as statements:
            check_out(BasketId(basket), lines)
    return statements


def request_statements(
    requests: Callable[[Client, int], object], client: Client, lines: int
) -> list[str]:
    """What the requests of one order send."""
    requests(client, lines)  # what is done once in a process is no part of it
    with wire.sent() as statements:
        requests(client, lines)
    return statements


def check_out(basket: BasketId, lines: int = LINES) -> Order:
    """The shop's checkout."""
    return use(Orders).check_out(
        basket_id=basket, expected_total=goods.total(lines), card_token=goods.CARD
    )


@contextmanager
def unfused() -> Iterator[None]:
    """Every step of a saga in commits of its own."""
    settings.MONOLIFT["FUSION"] = False
    try:
        yield
    finally:
        del settings.MONOLIFT["FUSION"]


def record() -> tuple[replay.Recording, BasketId]:
    """What an unfused checkout does, and the basket it did it with."""
    one, basket = goods.baskets(2, lines=LINES)
    with unfused():
        check_out(BasketId(one))
        with replay.recorded() as recording:
            check_out(BasketId(basket))
    return recording, BasketId(basket)


def replayed(recording: replay.Recording, original: BasketId, basket: BasketId) -> replay.Recording:
    """The recording with another basket, and so another order."""
    return recording.again({original: basket, uuid5(original, "0"): uuid5(basket, "0")})


def _by_hand(context: Context) -> Comparison:
    pairs = context.pairs(201)
    waiting = goods.baskets(2 * pairs + 8, lines=LINES)
    total = goods.total(LINES)

    def hand() -> float:
        basket = BasketId(waiting.pop())
        return once(
            lambda: byhand.check_out(basket_id=basket, expected_total=total, card_token=goods.CARD)
        )

    return compare(_case(waiting), hand, pairs=pairs)


def _unfused(
    context: Context, recording: replay.Recording, original: BasketId, *, by_orm: bool
) -> Comparison:
    pairs = context.pairs(151)
    waiting = goods.baskets(2 * pairs + 8, lines=LINES)

    def hand() -> float:
        basket = BasketId(waiting.pop())
        again = replayed(recording, original, basket)
        return once(partial(by_hand_unfused, basket, again)) if by_orm else once(again.run)

    with unfused():
        return compare(_case(waiting), hand, pairs=pairs)


def by_hand_unfused(basket: BasketId, recording: replay.Recording) -> Order:
    """The unfused checkout by hand; the library's statements are those of the recording."""
    rest = iter(recording.platform)
    order = byhand.check_out_unfused(
        basket_id=basket,
        expected_total=goods.total(LINES),
        card_token=goods.CARD,
        platform=lambda: replay.send(byhand.ALIAS, [next(rest)]),
    )
    assert next(rest, None) is None, "the recording has more statements than the hand sends"
    return order


def _case(waiting: list[UUID]) -> Case:
    def case() -> float:
        basket = BasketId(waiting.pop())
        return once(lambda: check_out(basket))

    return case


def _requests(lines: int) -> str:
    return f"{lines + 4} requests"


def _lines(lines: int) -> str:
    return "one line" if lines == 1 else f"{lines} lines"

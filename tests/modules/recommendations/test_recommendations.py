"""What was bought together: every order once, and the same numbers when counted anew."""

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.orders.events import BoughtLine, OrderPlaced
from modules.orders.interface import BoughtOrder, BoughtPage, OrderId, Orders
from modules.recommendations import models
from modules.recommendations.interface import Recommendations
from modules.recommendations.services import counting, rebuilding
from monolift import Money, Unavailable, atomic, use
from monolift.registry.proxies import override
from monolift.testing.announcing import announce
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements
from tests.shop import basket_with, card, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
recommendations = use(Recommendations)


def place(*skus: str, order_id: UUID | None = None) -> UUID:
    """Announce an order."""
    order_id = order_id or uuid4()
    announce(
        OrderPlaced(
            order_id=order_id,
            lines=tuple(BoughtLine(sku=sku, quantity=2) for sku in skus),
            total=Money(100, "EUR"),
            email="ada@example.org",
        )
    )
    return order_id


def together(*skus: str, limit: int = 4) -> list[str]:
    return list(recommendations.bought_together(skus=skus, limit=limit))


def numbers() -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """The numbers of the generation that is read."""
    generation = models.Generation.objects.now().current
    pairs = models.Pair.objects.filter(generation=generation).values_list("sku", "other", "orders")
    single = models.Popularity.objects.filter(generation=generation).values_list("sku", "orders")
    return {(sku, other): count for sku, other, count in pairs}, dict(single)


class Bookkeeper(Orders):
    """Stands for orders: gives out what was placed, with something happening between the pages."""

    def __init__(self, orders: Sequence[tuple[UUID, tuple[str, ...]]]) -> None:
        self.orders = list(orders)
        self.meanwhile: Iterator[object] = iter(())

    def bought(self, *, after: str | None = None, limit: int = 500) -> BoughtPage:
        start = int(after or 0)
        page = [
            BoughtOrder(order_id=OrderId(order_id), skus=skus)
            for order_id, skus in self.orders[start : start + limit]
        ]
        end = start + limit
        more = end < len(self.orders)
        next(self.meanwhile, None)
        return BoughtPage(orders=tuple(page), next=str(end) if more else None)


def rebuild(orders: Orders, *, page: int = 2) -> None:
    with override(Orders, orders):
        call_command("rebuild_recommendations", page=page)


@pytest.mark.topologies("local", "loopback")
def test_what_is_bought_together_most_often_comes_first(scenario: Scenario) -> None:
    place("MUG", "TEA", "POT")
    place("MUG", "TEA")
    place("LAMP", "MUG")
    place("LAMP", "BULB")
    scenario.run_until_idle()
    assert together("MUG") == ["TEA", "LAMP", "POT", "BULB"]
    assert together("MUG", limit=1) == ["TEA"]
    assert together("MUG", "LAMP") == ["TEA", "BULB", "POT"], "none of what is there already"


@pytest.mark.topologies("local", "loopback")
def test_without_pairs_it_is_what_is_bought_most_in_a_fixed_order(scenario: Scenario) -> None:
    assert together("MUG") == []
    place("B")
    place("A")
    place("C")
    place("C")
    scenario.run_until_idle()
    assert together("UNKNOWN") == ["C", "A", "B"]
    assert together() == ["C", "A", "B"]
    assert together("C\0", "C") == ["A", "B"]
    assert together(limit=-1) == ["C"]


def test_an_order_counts_once_however_often_it_is_told(scenario: Scenario) -> None:
    order_id = place("MUG", "TEA", "MUG")
    scenario.run_until_idle()
    place("MUG", "TEA", order_id=order_id)
    scenario.run_until_idle()
    assert numbers() == ({("MUG", "TEA"): 1, ("TEA", "MUG"): 1}, {"MUG": 1, "TEA": 1})


def test_a_real_order_is_counted(scenario: Scenario) -> None:
    shelve("MUG")
    basket_id = basket_with("MUG")
    use(Orders).check_out(
        basket_id=basket_id, expected_total=total_of(basket_id), card_token=card()
    )
    scenario.run_until_idle()
    assert numbers() == ({}, {"MUG": 1})
    call_command("rebuild_recommendations")
    assert numbers() == ({}, {"MUG": 1})


def test_a_large_order_grows_the_table_by_a_bounded_number_of_rows(scenario: Scenario) -> None:
    skus = [f"S{number:03}" for number in range(100)]
    place(*skus)
    with statements() as seen:
        scenario.run_until_idle()
    counted = [one for one in seen if "recommendations_pair" in one]
    assert len(counted) == 2, "many rows a statement"
    most = counting.MOST_SKUS
    assert models.Pair.objects.count() == most * (most - 1)
    assert models.Popularity.objects.count() == most


ORDERS = st.lists(
    st.lists(st.sampled_from("ABCDEF"), min_size=1, max_size=6).map(tuple), max_size=8
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=ORDERS, meanwhile=ORDERS, late=ORDERS, page=st.integers(1, 4))
def test_counting_anew_gives_the_numbers_of_the_live_count(
    before: list[tuple[str, ...]],
    meanwhile: list[tuple[str, ...]],
    late: list[tuple[str, ...]],
    page: int,
    scenario: Scenario,
) -> None:
    """Also of orders placed between its pages, and of those whose event comes after it."""
    for model in (models.Generation, models.CountedOrder, models.Pair, models.Popularity):
        model.objects.all().delete()
    keeper = Bookkeeper([])

    def placed(orders: list[tuple[str, ...]]) -> Iterator[object]:
        for skus in orders:
            keeper.orders.append((place(*skus), skus))
            yield scenario.run_until_idle()

    assert all(True for _ in placed(before))
    before_rebuild = numbers()
    rebuild(keeper, page=page)
    assert numbers() == before_rebuild
    for skus in late:  # placed, and not yet told
        keeper.orders.append((place(*skus), skus))
    keeper.meanwhile = placed(meanwhile)
    rebuild(keeper, page=page)
    assert all(True for _ in keeper.meanwhile)
    scenario.run_until_idle()
    live = numbers()
    for model in (models.CountedOrder, models.Pair, models.Popularity):
        model.objects.all().delete()
    with atomic(module="recommendations"):
        generation = models.Generation.objects.now().current
        counting.add(generation=generation, orders=[skus for _, skus in keeper.orders])
    assert live == numbers()


def test_until_a_rebuild_ends_the_old_numbers_are_read(scenario: Scenario) -> None:
    place("MUG", "TEA")
    scenario.run_until_idle()
    keeper = Bookkeeper([(uuid4(), ("LAMP", "BULB")) for _ in range(3)])
    seen: list[list[str]] = []

    def look() -> Iterator[object]:
        while True:
            seen.append(together("LAMP", limit=1))
            yield

    keeper.meanwhile = look()
    rebuild(keeper)
    assert seen == [["MUG"], ["MUG"]]
    assert together("LAMP") == ["BULB"]
    assert set(models.Pair.objects.values_list("generation", flat=True)) == {2}


class Silent(Orders):
    """Orders that do not answer after the first page."""

    def __init__(self, keeper: Bookkeeper) -> None:
        self.keeper = keeper

    def bought(self, *, after: str | None = None, limit: int = 500) -> BoughtPage:
        if after is not None:
            raise Unavailable("orders.bought", "it does not answer")
        return self.keeper.bought(after=after, limit=limit)


def test_a_rebuild_that_breaks_off_changes_nothing_and_can_be_repeated(
    scenario: Scenario,
) -> None:
    place("MUG", "TEA")
    scenario.run_until_idle()
    before = numbers()
    keeper = Bookkeeper([(uuid4(), ("LAMP", "BULB")) for _ in range(3)])
    with pytest.raises(CommandError, match="The numbers are as before"):
        rebuild(Silent(keeper))
    assert numbers() == before
    place("MUG", "TEA")
    scenario.run_until_idle()
    rebuild(keeper)
    assert numbers()[1] == {"LAMP": 3, "BULB": 3}
    assert models.CountedOrder.objects.count() == 3, "nothing is left of the first"


def test_of_two_rebuilds_the_later_one_goes_on(scenario: Scenario) -> None:
    keeper = Bookkeeper([(uuid4(), ("LAMP", "BULB")) for _ in range(3)])
    second = [2]

    def begin_another(_: int) -> None:
        if second:
            rebuilding.rebuild(page=second.pop(), report=begin_another)

    with override(Orders, keeper), pytest.raises(rebuilding.TakenOver):
        rebuilding.rebuild(page=2, report=begin_another)
    assert numbers()[1] == {"LAMP": 3, "BULB": 3}


@pytest.mark.parametrize("page", [0, 1001])
def test_a_senseless_page_is_refused(page: int) -> None:
    with pytest.raises(CommandError, match="not a number from 1 to 1000"):
        rebuild(Bookkeeper([]), page=page)

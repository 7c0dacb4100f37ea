"""Coupons, price lists and fixed promotions."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.test import Client

from modules.pricing.interface import (
    Coupon,
    CouponRefused,
    InvalidCoupon,
    InvalidPriceList,
    InvalidPromotion,
    ListPrice,
    PriceList,
    Pricing,
    Promotion,
    Quote,
    QuoteLine,
)
from monolift import Money, use
from monolift.kernel import clock
from monolift.testing.statements import statements

pytestmark = pytest.mark.django_db(databases="__all__")
both = pytest.mark.topologies("local", "loopback", fake=Pricing)
pricing = use(Pricing)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def euros(amount: int) -> Money:
    return Money(amount, "EUR")


def price(sku: str, amount: int, *, price_list: str = "default") -> None:
    pricing.set_prices(prices=[ListPrice(sku=sku, unit=euros(amount))], price_list=price_list)


def coupon(code: str = "TEN", **fields: Any) -> None:
    pricing.set_coupons(coupons=[Coupon(**({"code": code, "percent": 10} | fields))])


def quote(
    *lines: tuple[str, int],
    coupon: str = "",
    reference: UUID | None = None,
    delivery: Money | None = None,
    country: str | None = "DE",
) -> Quote:
    wanted = [QuoteLine(sku=sku, quantity=quantity) for sku, quantity in lines]
    return pricing.quote(
        lines=wanted,
        currency="EUR",
        country=country,
        coupon=coupon,
        reference=reference,
        delivery=delivery,
    )


# What they are worth ------------------------------------------------------------------------------


@both
def test_a_coupon_is_shared_among_the_lines() -> None:
    price("MUG", 1000)
    price("BOWL", 333)
    coupon()
    found = quote(("MUG", 1), ("BOWL", 1), coupon="ten", country=None)
    assert found.coupon_discount == found.discount == euros(133)
    assert [line.discount.amount for line in found.lines] == [100, 33]
    assert found.total == euros(1200)


@both
def test_delivery_is_taxed_like_the_goods() -> None:
    price("MUG", 1000)
    found = quote(("MUG", 1), delivery=euros(900))
    assert (found.delivery, found.delivery_tax, found.tax) == (euros(900), euros(171), euros(361))
    assert found.total == euros(1000 + 900 + 361)


def test_an_amount_never_makes_the_goods_cost_less_than_nothing() -> None:
    price("MUG", 1000)
    coupon(percent=0, amount=euros(2500))
    found = quote(("MUG", 1), coupon="TEN", delivery=euros(900))
    assert found.coupon_discount == euros(1000)
    assert found.total == euros(900 + 171)


def test_a_coupon_counts_on_top_of_a_promotion() -> None:
    price("MUG", 1000)
    now = clock.now()
    window = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=1)}
    pricing.set_promotions(promotions=[Promotion(sku="MUG", percent=50, **window)])
    coupon()
    assert quote(("MUG", 1), coupon="TEN", country=None).total == euros(450)


def test_the_better_of_a_percentage_and_an_amount_counts() -> None:
    price("MUG", 1000)
    now = clock.now()
    window = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=1)}
    pricing.set_promotions(
        promotions=[
            Promotion(sku="MUG", percent=10, **window),
            Promotion(sku="MUG", amount=euros(250), **window),
            Promotion(sku="MUG", amount=Money(900, "USD"), **window),
        ]
    )
    assert quote(("MUG", 2), country=None).total == euros(1500)
    assert pricing.prices(skus=["MUG"], currency="EUR")["MUG"].unit == euros(750)


def test_a_coupon_costs_one_statement_more() -> None:
    price("MUG", 1000)
    coupon()
    with statements() as plain:
        quote(("MUG", 1))
    with statements() as seen:
        quote(("MUG", 1), coupon="TEN")
    assert (len(plain), len(seen)) == (1, 2)


# When they count ----------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"ends_at": NOW - timedelta(days=1)}, "expired"),
        ({"starts_at": NOW + timedelta(days=36_500)}, "not valid yet"),
        ({"minimum": euros(1001)}, "at least 10.01 EUR"),
        ({"minimum": Money(5, "USD")}, "in USD"),
        ({"percent": 0, "amount": Money(500, "USD")}, "in USD"),
    ],
    ids=["expired", "early", "too little", "a minimum in dollars", "dollars"],
)
def test_a_coupon_that_does_not_count_says_why(fields: dict[str, Any], problem: str) -> None:
    price("MUG", 1000)
    coupon(**fields)
    with pytest.raises(CouponRefused, match=problem):
        quote(("MUG", 1), coupon="TEN")


@pytest.mark.parametrize("code", ["NONE", "x" * 5000, "\x00", "' OR 1=1 --", "\uff34\uff25\uff2e"])
def test_an_unknown_coupon_is_refused(code: str) -> None:
    price("MUG", 1000)
    coupon()
    for ask in (
        lambda: quote(("MUG", 1), coupon=code),
        lambda: pricing.coupon(code=code),
        lambda: pricing.redeem(code=code, reference=uuid4()),
    ):
        with pytest.raises(CouponRefused, match="do not know"):
            ask()


# How often ----------------------------------------------------------------------------------------


@both
def test_a_reference_uses_a_coupon_once() -> None:
    price("MUG", 1000)
    coupon(limit=1)
    mine = uuid4()
    for _ in range(2):
        pricing.redeem(code="TEN", reference=mine)
    with pytest.raises(CouponRefused, match="used up"):
        pricing.redeem(code="TEN", reference=uuid4())
    with pytest.raises(CouponRefused, match="used up"):
        quote(("MUG", 1), coupon="TEN")
    assert quote(("MUG", 1), coupon="TEN", reference=mine).coupon_discount == euros(100)
    for _ in range(2):
        pricing.unredeem(reference=mine)
    assert pricing.coupon(code="TEN").redeemed == 0
    pricing.redeem(code="ten", reference=uuid4())


def test_an_expired_coupon_is_not_redeemed() -> None:
    coupon(ends_at=clock.now() - timedelta(seconds=1))
    with pytest.raises(CouponRefused, match="expired"):
        pricing.redeem(code="TEN", reference=uuid4())
    coupon(ends_at=None)
    assert pricing.coupon(code="TEN").redeemed == 0


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_fifty_at_once_never_exceed_the_limit() -> None:
    coupon(limit=10)
    barrier = threading.Barrier(8)

    def use_it(number: int) -> int:
        counted = 0
        try:
            barrier.wait(10)
            for _ in range(7 if number < 2 else 6):
                try:
                    pricing.redeem(code="TEN", reference=uuid4())
                    counted += 1
                except CouponRefused:
                    pass
        finally:
            connections.close_all()
        return counted

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use_it, range(8))) == 10
    with pytest.raises(CouponRefused, match="used up"):
        pricing.coupon(code="TEN")


# Setting up ---------------------------------------------------------------------------------------


def test_changing_a_coupon_keeps_how_often_it_was_used() -> None:
    coupon(limit=5)
    pricing.redeem(code="TEN", reference=uuid4())
    coupon(limit=2, percent=20)
    found = pricing.coupon(code="TEN")
    assert (found.redeemed, found.limit, found.percent) == (1, 2, 20)
    pricing.redeem(code="TEN", reference=uuid4())
    with pytest.raises(InvalidCoupon, match="used 2 times"):
        coupon(limit=1)


@pytest.mark.parametrize(
    "fields",
    [
        {"code": ""},
        {"code": "x" * 41},
        {"code": "naïve"},
        {"code": "a b"},
        {"percent": 0},
        {"percent": 91},
        {"percent": -1},
        {"percent": 0, "amount": euros(0)},
        {"percent": 5, "amount": euros(5)},
        {"limit": 0},
        {"minimum": euros(0)},
        {"starts_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - what is refused
        {"starts_at": NOW, "ends_at": NOW - timedelta(days=1)},
    ],
    ids=str,
)
def test_a_coupon_is_sensible(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidCoupon):
        coupon(**fields)


def test_a_fixed_promotion_is_sensible() -> None:
    now = clock.now()
    for amount in (euros(0), euros(-5)):
        with pytest.raises(InvalidPromotion, match="above zero"):
            pricing.set_promotions(
                promotions=[
                    Promotion(
                        sku="MUG", amount=amount, starts_at=now, ends_at=now + timedelta(days=1)
                    )
                ]
            )


@both
def test_the_list_of_the_highest_priority_counts_while_it_lasts() -> None:
    now = clock.now()
    price("MUG", 1000)
    pricing.set_price_lists(
        price_lists=[
            PriceList(name="summer", priority=5, ends_at=now + timedelta(hours=1)),
            PriceList(name="autumn", priority=9, starts_at=now + timedelta(hours=1)),
        ]
    )
    price("MUG", 800, price_list="summer")
    price("MUG", 900, price_list="autumn")
    assert quote(("MUG", 1), country=None).total == euros(800)
    pricing.set_price_lists(
        price_lists=[PriceList(name="summer", priority=5, ends_at=now - timedelta(hours=1))]
    )
    assert quote(("MUG", 1), country=None).total == euros(1000)


def test_a_price_list_is_sensible() -> None:
    with pytest.raises(InvalidPriceList, match="set it up first"):
        price("MUG", 1000, price_list="nowhere")
    for wrong in (
        PriceList(name="", priority=1),
        PriceList(name="x" * 51, priority=1),
        PriceList(name="default", priority=1),
        PriceList(name="far", priority=10**9),
    ):
        with pytest.raises(InvalidPriceList):
            pricing.set_price_lists(price_lists=[wrong])


# REST ---------------------------------------------------------------------------------------------


def test_a_quote_with_a_coupon_over_rest(client: Client) -> None:
    price("MUG", 1000)
    coupon()
    body = {"lines": [{"sku": "MUG", "quantity": 1}], "coupon": "ten"}
    answer = client.post("/api/v1/pricing/quotes", body, content_type="application/json")
    assert answer.json()["coupon_discount"]["amount"] == 100
    for wrong, status in (("NOPE", 409), ("x" * 41, 422), ("a\u0000", 422)):
        answer = client.post(
            "/api/v1/pricing/quotes", body | {"coupon": wrong}, content_type="application/json"
        )
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/problem+json"

"""Prices, promotions, tax: what pricing promises to whoever calls it."""

from datetime import datetime, timedelta

import pytest

from modules.pricing.interface import (
    InvalidPrice,
    InvalidPromotion,
    InvalidQuantity,
    ListPrice,
    NoPrice,
    Pricing,
    Promotion,
    Quote,
    QuoteLine,
    ShownPrice,
    Tax,
    UnknownDestination,
)
from monolift import Money, use
from monolift.kernel import clock
from monolift.testing.statements import statements

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Pricing),
]
pricing = use(Pricing)


def price(sku: str, amount: str, currency: str = "EUR") -> None:
    """Set one list price."""
    pricing.set_prices(prices=[ListPrice(sku=sku, unit=Money.of(amount, currency))])


def promote(sku: str, percent: int, *, starts_in: float = -1, ends_in: float = 1) -> None:
    """Add a promotion; its window in hours from now."""
    now = clock.now()
    pricing.set_promotions(
        promotions=[
            Promotion(
                sku=sku,
                percent=percent,
                starts_at=now + timedelta(hours=starts_in),
                ends_at=now + timedelta(hours=ends_in),
            )
        ]
    )


def quote(*lines: tuple[str, int], currency: str = "EUR", country: str | None = "DE") -> Quote:
    """Quote (SKU, quantity) pairs."""
    wanted = [QuoteLine(sku=sku, quantity=quantity) for sku, quantity in lines]
    return pricing.quote(lines=wanted, currency=currency, country=country)


def test_a_price_tag_shows_the_list_price() -> None:
    price("MUG", "12.50")
    shown = pricing.prices(skus=["MUG", "UNKNOWN"], currency="EUR")
    assert shown == {"MUG": ShownPrice(unit=Money(1250, "EUR"))}
    assert pricing.prices(skus=["MUG"], currency="USD") == {}


@pytest.mark.topologies("local", "loopback")
def test_no_skus_cost_no_statement() -> None:
    with statements() as seen:
        assert pricing.prices(skus=[], currency="EUR") == {}
    assert seen == []


def test_a_promotion_counts_within_its_window_only() -> None:
    price("MUG", "10.00")
    promote("MUG", 50, starts_in=-2, ends_in=-1)
    promote("MUG", 40, starts_in=1, ends_in=2)
    assert pricing.prices(skus=["MUG"], currency="EUR")["MUG"].before is None
    promote("MUG", 15)
    shown = pricing.prices(skus=["MUG"], currency="EUR")["MUG"]
    assert shown == ShownPrice(unit=Money(850, "EUR"), before=Money(1000, "EUR"))


def test_the_best_of_several_promotions_counts() -> None:
    price("MUG", "10.00")
    promote("MUG", 10)
    promote("MUG", 30, ends_in=5)
    assert quote(("MUG", 1)).discount == Money(300, "EUR")


def test_a_quote_taxes_what_is_left_after_the_promotion() -> None:
    price("MUG", "9.99")
    promote("MUG", 10)
    line = quote(("MUG", 3)).lines[0]
    assert line.net == Money(2997, "EUR")
    assert line.discount == Money(300, "EUR")  # 2.997
    assert line.tax == Money(512, "EUR")  # 19 % of 26.97 is 5.1243
    assert line.total == Money(3209, "EUR")


@pytest.mark.parametrize(
    ("currency", "amount", "country", "tax"),
    [("JPY", "105", "JP", 10), ("KWD", "1.250", "AT", 250), ("USD", "19.99", "US", 0)],
)
def test_tax_is_rounded_to_the_minor_unit_of_the_currency(
    currency: str, amount: str, country: str, tax: int
) -> None:
    price("MUG", amount, currency)
    assert quote(("MUG", 1), currency=currency, country=country).tax == Money(tax, currency)


def test_a_quote_tells_its_taxes_by_rate() -> None:
    for sku, amount in (("MUG", "10.00"), ("TRAY", "20.00"), ("VOUCHER", "25.00")):
        price(sku, amount)
    promote("TRAY", 10)
    pricing.set_taxed(taxed={"MUG": True, "VOUCHER": False})
    pricing.set_taxed(taxed={"VOUCHER": False})
    found = pricing.quote(
        lines=[QuoteLine(sku=sku, quantity=1) for sku in ("MUG", "TRAY", "VOUCHER")],
        currency="EUR",
        country="DE",
        delivery=Money.of("4.00", "EUR"),
    )
    assert found.taxes == (
        Tax(rate=1900, net=Money.of("32.00", "EUR"), amount=Money.of("6.08", "EUR")),
        Tax(rate=0, net=Money.of("25.00", "EUR"), amount=Money.zero("EUR")),
    )
    assert found.tax == Money.of("6.08", "EUR")
    assert [one.tax_rate for one in found.lines] == [1900, 1900, 0]
    assert quote(("MUG", 1), country=None).taxes == ()
    pricing.set_taxed(taxed={"VOUCHER": True})
    assert [one.rate for one in quote(("VOUCHER", 1)).taxes] == [1900]


def test_without_a_country_there_is_no_tax() -> None:
    price("MUG", "10.00")
    answer = quote(("MUG", 2), country=None)
    assert (answer.country, answer.tax, answer.total) == (
        None,
        Money.zero("EUR"),
        Money(2000, "EUR"),
    )


@pytest.mark.topologies("local", "loopback")
def test_a_quote_takes_one_statement_however_many_lines() -> None:
    for number in range(5):
        price(f"SKU-{number}", "10.00")
    with statements() as seen:
        quote(*((f"SKU-{number}", 1) for number in range(5)))
    assert len(seen) == 1


def test_the_same_sku_on_two_lines_is_priced_twice() -> None:
    price("MUG", "10.00")
    assert quote(("MUG", 1), ("MUG", 2), country=None).total == Money(3000, "EUR")


def test_what_cannot_be_quoted() -> None:
    price("MUG", "10.00")
    with pytest.raises(NoPrice, match="POT has no price in EUR"):
        quote(("MUG", 1), ("POT", 1))
    with pytest.raises(UnknownDestination, match="AQ"):
        quote(("MUG", 1), country="AQ")
    for quantity in (0, -1, 10_001):
        with pytest.raises(InvalidQuantity):
            quote(("MUG", quantity))


def test_every_destination_can_be_quoted() -> None:
    price("MUG", "10.00")
    countries = pricing.destinations()
    assert list(countries) == sorted(countries)
    assert {"DE", "FR", "GB", "JP", "KW", "US"} <= set(countries)
    for country in countries:
        assert quote(("MUG", 1), country=country).tax >= Money.zero("EUR")


def test_setting_a_price_again_changes_it() -> None:
    price("MUG", "10.00")
    price("MUG", "11.00")
    price("MUG", "11.00")
    assert pricing.prices(skus=["MUG"], currency="EUR")["MUG"].unit == Money(1100, "EUR")


def test_a_price_is_above_zero() -> None:
    with pytest.raises(InvalidPrice):
        price("MUG", "0")
    with pytest.raises(InvalidPrice):
        price("MUG", "-1")


def test_a_promotion_is_sensible() -> None:
    for percent in (0, -5, 91, 100):
        with pytest.raises(InvalidPromotion, match="percentage"):
            promote("MUG", percent)
    with pytest.raises(InvalidPromotion, match="end after it starts"):
        promote("MUG", 10, starts_in=1, ends_in=1)
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
    with pytest.raises(InvalidPromotion, match="timezone"):
        pricing.set_promotions(
            promotions=[Promotion(sku="MUG", percent=5, starts_at=naive, ends_at=naive)]
        )

"""The arithmetic of quotes, for any prices and rates."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from modules.pricing.interface import Quote, QuoteLine
from modules.pricing.queries.arithmetic import off_a_line, price_line, share, summed
from modules.pricing.queries.prices import MOST
from modules.pricing.queries.tax import TAX_BASIS_POINTS
from monolift import Money

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD"])


RATES = st.sampled_from(sorted(set(TAX_BASIS_POINTS.values())))


class Wanted(NamedTuple):
    """A line before it is priced: a unit price, a quantity, and what is off."""

    unit: int
    quantity: int
    percent: int
    amount: int


WANTED = st.builds(
    Wanted,
    unit=st.integers(1, 10**9),
    quantity=st.integers(1, MOST),
    percent=st.integers(0, 90),
    amount=st.integers(0, 10**9),
)


def quoted(
    wanted: Sequence[Wanted], *, currency: str, basis_points: int, coupon: int, delivery: int
) -> Quote:
    """What `quote` does, without its reads; the coupon takes `coupon` hundredths off the goods."""
    units = [Money(one.unit, currency) for one in wanted]
    promotions = [
        off_a_line(unit=unit, quantity=one.quantity, percent=one.percent, amount=one.amount)
        for unit, one in zip(units, wanted, strict=True)
    ]
    left = [
        (unit * one.quantity - off).amount
        for unit, one, off in zip(units, wanted, promotions, strict=True)
    ]
    off = Money(sum(left), currency).times(Fraction(coupon, 100))
    lines = [
        price_line(
            line=QuoteLine(sku="S", quantity=one.quantity),
            unit=unit,
            discount=promotion,
            coupon=part,
            basis_points=basis_points,
        )
        for unit, one, promotion, part in zip(
            units, wanted, promotions, share(off, weights=left), strict=True
        )
    ]
    return summed(
        lines=lines,
        currency=currency,
        country=None,
        coupon_discount=off,
        delivery=Money(delivery, currency),
        basis_points=basis_points,
    )


@given(
    wanted=st.lists(WANTED, max_size=8),
    currency=CURRENCIES,
    basis_points=RATES,
    coupon=st.integers(0, 90),
    delivery=st.integers(0, 10**6),
)
def test_the_total_is_exactly_the_sum_of_its_parts(
    wanted: list[Wanted], currency: str, basis_points: int, coupon: int, delivery: int
) -> None:
    quote = quoted(
        wanted, currency=currency, basis_points=basis_points, coupon=coupon, delivery=delivery
    )
    nothing = Money.zero(currency)
    lines = Money.total([line.total for line in quote.lines], currency=currency)
    assert quote.total == lines + quote.delivery + quote.delivery_tax
    assert quote.total == quote.net - quote.discount + quote.delivery + quote.tax
    for line in quote.lines:
        assert nothing <= line.discount <= line.net
        assert nothing <= line.tax
        assert line.total == line.net - line.discount + line.tax
    assert nothing <= quote.coupon_discount <= quote.discount <= quote.net


@given(
    total=st.integers(0, 10**12),
    weights=st.lists(st.integers(0, 10**12), min_size=1, max_size=10),
    currency=CURRENCIES,
)
def test_sharing_loses_nothing_and_is_fair(total: int, weights: list[int], currency: str) -> None:
    total = min(total, sum(weights))
    parts = share(Money(total, currency), weights=weights)
    assert sum(part.amount for part in parts) == total
    everything = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert 0 <= part.amount <= weight
        assert not everything or abs(part.amount - Fraction(total * weight, everything)) < 1


@given(
    unit=st.integers(1, 10**9),
    quantity=st.integers(1, MOST),
    percent=st.integers(0, 90),
    basis_points=st.integers(0, 10_000),
    currency=CURRENCIES,
)
def test_a_line_is_rounded_once_half_to_even(
    unit: int, quantity: int, percent: int, basis_points: int, currency: str
) -> None:
    (line,) = quoted(
        [Wanted(unit, quantity, percent, 0)],
        currency=currency,
        basis_points=basis_points,
        coupon=0,
        delivery=0,
    ).lines
    net = Decimal(unit * quantity)
    discount = (net * percent / 100).quantize(Decimal(1), ROUND_HALF_EVEN)
    tax = ((net - discount) * basis_points / 10_000).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert (line.net.amount, line.discount.amount, line.tax.amount) == (net, discount, tax)
    assert line.total == line.net - line.discount + line.tax
    assert line.total > Money.zero(currency) or percent


@given(wanted=WANTED, currency=CURRENCIES)
def test_the_better_promotion_counts_and_is_never_above_the_price(
    wanted: Wanted, currency: str
) -> None:
    unit = Money(wanted.unit, currency)
    off = off_a_line(
        unit=unit, quantity=wanted.quantity, percent=wanted.percent, amount=wanted.amount
    )
    assert Money.zero(currency) <= off <= unit * wanted.quantity
    for percent, amount in ((wanted.percent, 0), (0, wanted.amount)):
        alone = off_a_line(unit=unit, quantity=wanted.quantity, percent=percent, amount=amount)
        assert alone <= off


@given(wanted=st.lists(WANTED, max_size=6), data=st.data(), currency=CURRENCIES)
def test_the_order_of_lines_does_not_matter(
    wanted: list[Wanted], data: st.DataObject, currency: str
) -> None:
    mixed = data.draw(st.permutations(wanted))
    one, other = (
        quoted(lines, currency=currency, basis_points=1900, coupon=0, delivery=0)
        for lines in (wanted, mixed)
    )
    assert (one.net, one.discount, one.tax, one.total) == (
        other.net,
        other.discount,
        other.tax,
        other.total,
    )

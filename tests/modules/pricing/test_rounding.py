"""The arithmetic of quotes, for any prices and rates."""

from decimal import ROUND_HALF_EVEN, Decimal

from hypothesis import given
from hypothesis import strategies as st

from modules.pricing.interface import PricedLine, QuoteLine
from modules.pricing.queries import MOST, TAX_BASIS_POINTS, price_line, summed
from monolift import Money

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD"])


@st.composite
def priced_lines(draw: st.DrawFn, *, currency: str) -> PricedLine:
    """A line with any price, quantity, promotion and rate."""
    return price_line(
        line=QuoteLine(sku="S", quantity=draw(st.integers(1, MOST))),
        unit=Money(draw(st.integers(1, 10**9)), currency),
        percent=draw(st.integers(0, 90)),
        basis_points=draw(st.sampled_from(sorted(set(TAX_BASIS_POINTS.values())))),
    )


@given(st.data(), CURRENCIES)
def test_the_total_is_exactly_the_sum_of_the_lines(data: st.DataObject, currency: str) -> None:
    lines = data.draw(st.lists(priced_lines(currency=currency), max_size=8))
    quote = summed(lines=lines, currency=currency, country=None)
    assert quote.total.amount == sum(line.total.amount for line in lines)
    assert quote.total == quote.net - quote.discount + quote.tax


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
    line = price_line(
        line=QuoteLine(sku="S", quantity=quantity),
        unit=Money(unit, currency),
        percent=percent,
        basis_points=basis_points,
    )
    net = Decimal(unit * quantity)
    discount = (net * percent / 100).quantize(Decimal(1), ROUND_HALF_EVEN)
    tax = ((net - discount) * basis_points / 10_000).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert (line.net.amount, line.discount.amount, line.tax.amount) == (net, discount, tax)
    assert line.total == line.net - line.discount + line.tax
    assert line.total > Money.zero(currency) or percent


@given(data=st.data(), currency=CURRENCIES)
def test_the_order_of_lines_does_not_matter(data: st.DataObject, currency: str) -> None:
    lines = data.draw(st.lists(priced_lines(currency=currency), max_size=6))
    mixed = data.draw(st.permutations(lines))
    one = summed(lines=lines, currency=currency, country=None)
    other = summed(lines=mixed, currency=currency, country=None)
    assert (one.net, one.discount, one.tax, one.total) == (
        other.net,
        other.discount,
        other.tax,
        other.total,
    )

"""The arithmetic of quotes: exact, but for what is said to be rounded.

A line's list amount is exact (unit times quantity). Its promotion is rounded once, a coupon's
discount on the whole order is rounded once, and the tax on what is left of a line is rounded once,
all half to even (IEEE 754 roundTiesToEven; over many lines its errors cancel out). Sharing a
coupon's discount among the lines rounds nothing: minor units that are left over go to the lines
with the largest remainders. Totals are sums.
"""

from collections.abc import Sequence
from fractions import Fraction

from modules.pricing.interface import PricedLine, Quote, QuoteLine, Tax
from monolift.kernel import Money


def off_a_line(*, unit: Money, quantity: int, percent: int, amount: int) -> Money:
    """What the better of two promotions takes off: a percentage, or `amount` off each unit."""
    net = unit * quantity
    by_percent = net.times(Fraction(percent, 100))
    by_amount = Money(min(amount, unit.amount), unit.currency) * quantity
    return max(by_percent, by_amount)


def price_line(
    *, line: QuoteLine, unit: Money, discount: Money, coupon: Money, basis_points: int
) -> PricedLine:
    """Price one line: what is off it, then tax of `basis_points` hundredths of a percent."""
    net = unit * line.quantity
    off = discount + coupon
    tax = (net - off).times(Fraction(basis_points, 10_000))
    return PricedLine(
        sku=line.sku,
        quantity=line.quantity,
        unit=unit,
        net=net,
        discount=off,
        tax=tax,
        total=net - off + tax,
        tax_rate=basis_points,
    )


def share(total: Money, *, weights: Sequence[int]) -> list[Money]:
    """Divide an amount in proportion to weights, without losing or making a minor unit.

    The method of largest remainders; of equal ones the first. Nobody gets more than their weight
    when the total is not above the sum of the weights.
    """
    everything = sum(weights)
    if not everything:
        return [Money.zero(total.currency) for _ in weights]
    parts = [divmod(total.amount * weight, everything) for weight in weights]
    shares = [whole for whole, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda index: -parts[index][1])
    for index in by_remainder[: total.amount - sum(shares)]:
        shares[index] += 1
    return [Money(amount, total.currency) for amount in shares]


def summed(
    *,
    lines: Sequence[PricedLine],
    currency: str,
    country: str | None,
    coupon_discount: Money,
    delivery: Money,
    basis_points: int,
) -> Quote:
    """The quote of priced lines and a delivery: exact sums."""
    delivery_tax = delivery.times(Fraction(basis_points, 10_000))
    goods_tax = Money.total([line.tax for line in lines], currency=currency)
    goods = Money.total([line.total for line in lines], currency=currency)
    return Quote(
        currency=currency,
        country=country,
        lines=tuple(lines),
        net=Money.total([line.net for line in lines], currency=currency),
        discount=Money.total([line.discount for line in lines], currency=currency),
        coupon_discount=coupon_discount,
        delivery=delivery,
        delivery_tax=delivery_tax,
        tax=goods_tax + delivery_tax,
        total=goods + delivery + delivery_tax,
        taxes=_by_rate(
            [
                *(
                    Tax(rate=one.tax_rate, net=one.net - one.discount, amount=one.tax)
                    for one in lines
                ),
                Tax(rate=basis_points, net=delivery, amount=delivery_tax),
            ]
        )
        if country is not None
        else (),
    )


def _by_rate(taxes: Sequence[Tax]) -> tuple[Tax, ...]:
    """The taxes added up by rate, the highest first."""
    found: dict[int, Tax] = {}
    for one in taxes:
        so_far = found.get(one.rate)
        if so_far is not None:
            one = Tax(rate=one.rate, net=so_far.net + one.net, amount=so_far.amount + one.amount)
        found[one.rate] = one
    return tuple(found[rate] for rate in sorted(found, reverse=True) if found[rate].net)

"""Pricing in memory, for the tests of modules that require it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from uuid import UUID

import msgspec

from modules.pricing.interface import (
    Coupon,
    CouponRefused,
    InvalidCoupon,
    InvalidPrice,
    InvalidPriceList,
    InvalidPromotion,
    InvalidQuantity,
    ListPrice,
    NoPrice,
    PriceList,
    Pricing,
    Promotion,
    Quote,
    QuoteLine,
    ShownPrice,
    UnknownDestination,
)
from modules.pricing.queries import arithmetic
from modules.pricing.queries.tax import TAX_BASIS_POINTS, destinations
from monolift.kernel import Money, clock

_DEFAULT = PriceList(name="default", priority=0)


class FakePricing(Pricing):
    """Its arithmetic and its rates of tax are the real ones."""

    def __init__(self) -> None:
        self._lists = {_DEFAULT.name: _DEFAULT}
        self._prices: dict[tuple[str, str, str], Money] = {}
        self._promotions: dict[tuple[str, str, datetime, datetime], Promotion] = {}
        self._coupons: dict[str, Coupon] = {}
        self._redeemed: dict[UUID, str] = {}
        self._untaxed: set[str] = set()

    def prices(self, *, skus: Sequence[str], currency: str) -> Mapping[str, ShownPrice]:
        shown = {}
        for sku in skus:
            unit = self._unit(sku, currency)
            if unit is not None:
                off = self._off(sku, unit, 1)
                shown[sku] = ShownPrice(unit=unit - off, before=unit if off else None)
        return shown

    def quote(
        self,
        *,
        lines: Sequence[QuoteLine],
        currency: str,
        country: str | None = None,
        coupon: str = "",
        reference: UUID | None = None,
        delivery: Money | None = None,
    ) -> Quote:
        for line in lines:
            if not 1 <= line.quantity <= 10_000:
                raise InvalidQuantity(sku=line.sku, quantity=line.quantity)
        if country is not None and country not in TAX_BASIS_POINTS:
            raise UnknownDestination(country=country)
        basis_points = TAX_BASIS_POINTS[country] if country is not None else 0
        units: list[Money] = []
        for line in lines:
            unit = self._unit(line.sku, currency)
            if unit is None:
                raise NoPrice(sku=line.sku, currency=currency)
            units.append(unit)
        priced = list(zip(lines, units, strict=True))
        promotions = [self._off(line.sku, unit, line.quantity) for line, unit in priced]
        left = [
            unit * line.quantity - off for (line, unit), off in zip(priced, promotions, strict=True)
        ]
        off = Money.zero(currency)
        if coupon:
            goods = Money.total(left, currency=currency)
            off = _off_the_order(self._usable(coupon, reference), goods)
        shares = arithmetic.share(off, weights=[one.amount for one in left])
        return arithmetic.summed(
            lines=[
                arithmetic.price_line(
                    line=line,
                    unit=unit,
                    discount=off,
                    coupon=part,
                    basis_points=0 if line.sku in self._untaxed else basis_points,
                )
                for (line, unit), off, part in zip(priced, promotions, shares, strict=True)
            ],
            currency=currency,
            country=country,
            coupon_discount=off,
            delivery=delivery or Money.zero(currency),
            basis_points=basis_points,
        )

    def destinations(self) -> Sequence[str]:
        return destinations()

    def coupon(self, *, code: str) -> Coupon:
        return self._usable(code, None)

    def redeem(self, *, code: str, reference: UUID) -> None:
        if reference not in self._redeemed:
            self._redeemed[reference] = self._usable(code, None).code

    def unredeem(self, *, reference: UUID) -> None:
        self._redeemed.pop(reference, None)

    def set_coupons(self, *, coupons: Sequence[Coupon]) -> None:
        for coupon in coupons:
            if bool(coupon.percent) == (coupon.amount is not None):
                raise InvalidCoupon(coupon=coupon.code, problem="give a percentage or an amount.")
        self._coupons |= {
            one.code.strip().upper(): msgspec.structs.replace(one, code=one.code.strip().upper())
            for one in coupons
        }

    def set_price_lists(self, *, price_lists: Sequence[PriceList]) -> None:
        self._lists |= {one.name: one for one in price_lists}

    def set_prices(self, *, prices: Sequence[ListPrice], price_list: str = "default") -> None:
        if price_list not in self._lists:
            raise InvalidPriceList(name=price_list, problem="set it up first.")
        for price in prices:
            if price.unit.amount <= 0:
                raise InvalidPrice(sku=price.sku, unit=price.unit)
        for price in prices:
            self._prices[price.sku, price.unit.currency, price_list] = price.unit

    def set_taxed(self, *, taxed: Mapping[str, bool]) -> None:
        self._untaxed -= set(taxed)
        self._untaxed |= {sku for sku, has_tax in taxed.items() if not has_tax}

    def set_promotions(self, *, promotions: Sequence[Promotion]) -> None:
        for promotion in promotions:
            _check(promotion)
        self._promotions |= {_known_by(one): one for one in promotions}

    def remove_promotions(self, *, promotions: Sequence[Promotion]) -> None:
        for promotion in promotions:
            self._promotions.pop(_known_by(promotion), None)

    def _unit(self, sku: str, currency: str) -> Money | None:
        in_force = [
            (self._lists[name].priority, name, unit)
            for (one, other, name), unit in self._prices.items()
            if (one, other) == (sku, currency) and _counts(self._lists[name])
        ]
        return max(in_force)[2] if in_force else None

    def _off(self, sku: str, unit: Money, quantity: int) -> Money:
        in_force = [one for one in self._promotions.values() if one.sku == sku and _counts(one)]
        amounts = [
            one.amount.amount
            for one in in_force
            if one.amount is not None and one.amount.currency == unit.currency
        ]
        return arithmetic.off_a_line(
            unit=unit,
            quantity=quantity,
            percent=max((one.percent for one in in_force), default=0),
            amount=max(amounts, default=0),
        )

    def _usable(self, code: str, reference: UUID | None) -> Coupon:
        known = code.strip().upper()
        coupon = self._coupons.get(known)
        if coupon is None:
            raise CouponRefused(coupon=known[:40], problem="we do not know it.")
        used = list(self._redeemed.values()).count(known)
        again = reference is not None and self._redeemed.get(reference) == known
        if not again and not _counts(coupon):
            over = coupon.ends_at is not None and coupon.ends_at <= clock.now()
            problem = "it has expired." if over else "it is not valid yet."
            raise CouponRefused(coupon=known, problem=problem)
        if not again and coupon.limit is not None and used >= coupon.limit:
            raise CouponRefused(coupon=known, problem="it is used up.")
        return msgspec.structs.replace(coupon, redeemed=used)


def _counts(windowed: PriceList | Promotion | Coupon) -> bool:
    now = clock.now()
    begun = windowed.starts_at is None or windowed.starts_at <= now
    return begun and (windowed.ends_at is None or now < windowed.ends_at)


def _check(promotion: Promotion) -> None:
    problem = ""
    if bool(promotion.percent) == (promotion.amount is not None):
        problem = "give a percentage or an amount."
    elif promotion.amount is None and not 1 <= promotion.percent <= 90:
        problem = "give a percentage from 1 to 90."
    elif promotion.starts_at.tzinfo is None or promotion.ends_at.tzinfo is None:
        problem = "give times with a timezone."
    elif promotion.ends_at <= promotion.starts_at:
        problem = "it must end after it starts."
    if problem:
        raise InvalidPromotion(sku=promotion.sku, problem=problem)


def _known_by(promotion: Promotion) -> tuple[str, str, datetime, datetime]:
    currency = promotion.amount.currency if promotion.amount else ""
    return promotion.sku, currency, promotion.starts_at, promotion.ends_at


def _off_the_order(coupon: Coupon, goods: Money) -> Money:
    needed = coupon.minimum or coupon.amount
    if needed is not None and needed.currency != goods.currency:
        problem = f"it is for orders in {needed.currency}."
        raise CouponRefused(coupon=coupon.code, problem=problem)
    if coupon.minimum is not None and goods < coupon.minimum:
        problem = f"it is for orders of at least {coupon.minimum}."
        raise CouponRefused(coupon=coupon.code, problem=problem)
    if coupon.amount is None:
        return goods.times(Fraction(coupon.percent, 100))
    return min(coupon.amount, goods)

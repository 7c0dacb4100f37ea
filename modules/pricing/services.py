"""Writes of pricing, and the interface they answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from django.db.models import F, Q

from modules.pricing import models
from modules.pricing.interface import (
    Coupon,
    CouponRefused,
    InvalidCoupon,
    InvalidPrice,
    InvalidPriceList,
    InvalidPromotion,
    ListPrice,
    PriceList,
    Pricing,
    Promotion,
    Quote,
    QuoteLine,
    ShownPrice,
)
from modules.pricing.queries import coupons as coupon_queries
from modules.pricing.queries import prices as price_queries
from modules.pricing.queries import tax
from monolift import atomic
from monolift.kernel import Money, clock


class PricingService(Pricing):
    """Answers `Pricing` from this module's tables."""

    def prices(self, *, skus: Sequence[str], currency: str) -> Mapping[str, ShownPrice]:
        """See `Pricing.prices`."""
        return price_queries.prices(skus=skus, currency=currency)

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
        """See `Pricing.quote`."""
        return price_queries.quote(
            lines=lines,
            currency=currency,
            country=country,
            coupon=coupon,
            reference=reference,
            delivery=delivery,
        )

    def destinations(self) -> Sequence[str]:
        """See `Pricing.destinations`."""
        return tax.destinations()

    def coupon(self, *, code: str) -> Coupon:
        """See `Pricing.coupon`."""
        return coupon_queries.usable(code=code)

    def redeem(self, *, code: str, reference: UUID) -> None:
        """See `Pricing.redeem`."""
        with atomic():
            row = coupon_queries.find(code=code)
            redemption = models.Redemption(reference=reference, coupon=row, redeemed_at=clock.now())
            try:
                with atomic():
                    redemption.save(force_insert=True)
            except IntegrityError:
                return
            problem = coupon_queries.problem_of(row)
            # Whoever counts locks the row, so that many at once never count beyond the limit.
            left = Q(limit=None) | Q(redeemed__lt=F("limit"))
            counted = models.Coupon.objects.filter(left, pk=row.code).update(
                redeemed=F("redeemed") + 1
            )
            if problem or not counted:
                raise CouponRefused(coupon=row.code, problem=problem or "it is used up.")

    def unredeem(self, *, reference: UUID) -> None:
        """See `Pricing.unredeem`."""
        with atomic():
            found = models.Redemption.objects.select_for_update().filter(pk=reference).first()
            if found is not None:
                found.delete()
                models.Coupon.objects.filter(pk=found.coupon_id).update(redeemed=F("redeemed") - 1)

    def set_coupons(self, *, coupons: Sequence[Coupon]) -> None:
        """See `Pricing.set_coupons`."""
        rows = {}
        for coupon in coupons:
            code = coupon_queries.plain(coupon.code)
            _check_coupon(coupon, code)
            amount, minimum = coupon.amount, coupon.minimum
            rows[code] = models.Coupon(
                code=code,
                percent=coupon.percent,
                amount=amount.amount if amount else 0,
                currency=amount.currency if amount else "",
                minimum=minimum.amount if minimum else 0,
                minimum_currency=minimum.currency if minimum else "",
                limit=coupon.limit,
                starts_at=coupon.starts_at,
                ends_at=coupon.ends_at,
            )
        changed = {field.name for field in models.Coupon._meta.fields} - {"code", "redeemed"}
        with atomic():
            for known in models.Coupon.objects.select_for_update().filter(pk__in=rows):
                limit = rows[known.code].limit
                if limit is not None and limit < known.redeemed:
                    problem = f"it was used {known.redeemed} times already."
                    raise InvalidCoupon(coupon=known.code, problem=problem)
            models.Coupon.objects.bulk_create(
                [rows[code] for code in sorted(rows)],
                update_conflicts=True,
                unique_fields=["code"],
                update_fields=sorted(changed),
            )

    def set_price_lists(self, *, price_lists: Sequence[PriceList]) -> None:
        """See `Pricing.set_price_lists`."""
        rows = {}
        for price_list in price_lists:
            _check_price_list(price_list)
            rows[price_list.name] = models.PriceList(
                name=price_list.name,
                priority=price_list.priority,
                starts_at=price_list.starts_at,
                ends_at=price_list.ends_at,
            )
        with atomic():
            models.PriceList.objects.bulk_create(
                [rows[name] for name in sorted(rows)],
                update_conflicts=True,
                unique_fields=["name"],
                update_fields=["priority", "starts_at", "ends_at"],
            )

    def set_prices(
        self, *, prices: Sequence[ListPrice], price_list: str = models.DEFAULT_LIST
    ) -> None:
        """See `Pricing.set_prices`."""
        rows = {}
        for price in prices:
            if price.unit.amount <= 0:
                raise InvalidPrice(sku=price.sku, unit=price.unit)
            rows[price.sku, price.unit.currency] = models.ListPrice(
                sku=price.sku,
                currency=price.unit.currency,
                amount=price.unit.amount,
                price_list_id=price_list,
            )
        with atomic():
            if price_list == models.DEFAULT_LIST:
                models.PriceList.objects.bulk_create(
                    [models.PriceList(name=price_list)], ignore_conflicts=True
                )
            elif not models.PriceList.objects.filter(pk=price_list).exists():
                raise InvalidPriceList(name=price_list, problem="set it up first.")
            models.ListPrice.objects.bulk_create(
                [rows[key] for key in sorted(rows)],
                update_conflicts=True,
                unique_fields=["sku", "currency", "price_list"],
                update_fields=["amount"],
            )

    def set_taxed(self, *, taxed: Mapping[str, bool]) -> None:
        """See `Pricing.set_taxed`."""
        without = sorted(sku for sku, has_tax in taxed.items() if not has_tax)
        with atomic():
            models.Untaxed.objects.filter(pk__in=sorted(set(taxed) - set(without))).delete()
            models.Untaxed.objects.bulk_create(
                [models.Untaxed(sku=sku) for sku in without], ignore_conflicts=True
            )

    def set_promotions(self, *, promotions: Sequence[Promotion]) -> None:
        """See `Pricing.set_promotions`."""
        rows = {}
        for promotion in promotions:
            _check_promotion(promotion)
            amount = promotion.amount
            currency = amount.currency if amount else ""
            rows[promotion.sku, currency, promotion.starts_at, promotion.ends_at] = (
                models.Promotion(
                    sku=promotion.sku,
                    percent=promotion.percent,
                    amount=amount.amount if amount else 0,
                    currency=currency,
                    starts_at=promotion.starts_at,
                    ends_at=promotion.ends_at,
                )
            )
        with atomic():
            models.Promotion.objects.bulk_create(
                [rows[key] for key in sorted(rows)],
                update_conflicts=True,
                unique_fields=["sku", "currency", "starts_at", "ends_at"],
                update_fields=["percent", "amount"],
            )

    def remove_promotions(self, *, promotions: Sequence[Promotion]) -> None:
        """See `Pricing.remove_promotions`."""
        with atomic():
            for promotion in promotions:
                models.Promotion.objects.filter(
                    sku=promotion.sku,
                    currency=promotion.amount.currency if promotion.amount else "",
                    starts_at=promotion.starts_at,
                    ends_at=promotion.ends_at,
                ).delete()


def _check_promotion(promotion: Promotion) -> None:
    problem = _off_problem(promotion.percent, promotion.amount)
    problem = problem or _window_problem(promotion.starts_at, promotion.ends_at)
    if problem:
        raise InvalidPromotion(sku=promotion.sku, problem=problem)


def _check_coupon(coupon: Coupon, code: str) -> None:
    problem = _off_problem(coupon.percent, coupon.amount)
    problem = problem or _window_problem(coupon.starts_at, coupon.ends_at)
    if not coupon_queries.is_code(code):
        problem = "write its code in at most 40 letters, digits and dashes."
    elif coupon.limit is not None and coupon.limit < 1:
        problem = "give a limit of 1 or more, or none."
    elif coupon.minimum is not None and coupon.minimum.amount <= 0:
        problem = "give a minimum above zero, or none."
    if problem:
        raise InvalidCoupon(coupon=code[:40], problem=problem)


def _check_price_list(price_list: PriceList) -> None:
    problem = _window_problem(price_list.starts_at, price_list.ends_at)
    if not price_list.name.strip() or len(price_list.name) > 50:
        problem = "give it a name of at most 50 characters."
    elif price_list.name == models.DEFAULT_LIST and (
        price_list.priority or price_list.starts_at or price_list.ends_at
    ):
        problem = "it always counts, with priority 0."
    elif not -1000 <= price_list.priority <= 1000:
        problem = "give a priority from -1000 to 1000."
    if problem:
        raise InvalidPriceList(name=price_list.name[:50], problem=problem)


def _off_problem(percent: int, amount: Money | None) -> str:
    if bool(percent) == (amount is not None):
        return "give a percentage or an amount."
    if amount is not None and amount.amount <= 0:
        return "give an amount above zero."
    if amount is None and not 1 <= percent <= models.MOST_PERCENT:
        return f"give a percentage from 1 to {models.MOST_PERCENT}."
    return ""


def _window_problem(starts_at: datetime | None, ends_at: datetime | None) -> str:
    if any(moment is not None and moment.tzinfo is None for moment in (starts_at, ends_at)):
        return "give times with a timezone."
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        return "it must end after it starts."
    return ""

"""Writes of pricing, and the interface they answer."""

from collections.abc import Mapping, Sequence

from modules.pricing import models, queries
from modules.pricing.interface import (
    InvalidPrice,
    InvalidPromotion,
    ListPrice,
    Pricing,
    Promotion,
    Quote,
    QuoteLine,
    ShownPrice,
)
from monolift import atomic


class PricingService(Pricing):
    """Answers `Pricing` from this module's tables."""

    def prices(self, *, skus: Sequence[str], currency: str) -> Mapping[str, ShownPrice]:
        """See `Pricing.prices`."""
        return queries.prices(skus=skus, currency=currency)

    def quote(
        self, *, lines: Sequence[QuoteLine], currency: str, country: str | None = None
    ) -> Quote:
        """See `Pricing.quote`."""
        return queries.quote(lines=lines, currency=currency, country=country)

    def destinations(self) -> Sequence[str]:
        """See `Pricing.destinations`."""
        return queries.destinations()

    def set_prices(self, *, prices: Sequence[ListPrice]) -> None:
        """See `Pricing.set_prices`."""
        rows = {}
        for price in prices:
            if price.unit.amount <= 0:
                raise InvalidPrice(sku=price.sku, unit=price.unit)
            rows[price.sku, price.unit.currency] = models.ListPrice(
                sku=price.sku, currency=price.unit.currency, amount=price.unit.amount
            )
        with atomic():
            models.ListPrice.objects.bulk_create(
                [rows[key] for key in sorted(rows)],
                update_conflicts=True,
                unique_fields=["sku", "currency"],
                update_fields=["amount"],
            )

    def set_promotions(self, *, promotions: Sequence[Promotion]) -> None:
        """See `Pricing.set_promotions`."""
        rows = {}
        for promotion in promotions:
            _check(promotion)
            rows[promotion.sku, promotion.starts_at, promotion.ends_at] = models.Promotion(
                sku=promotion.sku,
                percent=promotion.percent,
                starts_at=promotion.starts_at,
                ends_at=promotion.ends_at,
            )
        with atomic():
            models.Promotion.objects.bulk_create(
                [rows[key] for key in sorted(rows)],
                update_conflicts=True,
                unique_fields=["sku", "starts_at", "ends_at"],
                update_fields=["percent"],
            )


def _check(promotion: Promotion) -> None:
    problem = ""
    if not 1 <= promotion.percent <= models.MOST_PERCENT:
        problem = f"give a percentage from 1 to {models.MOST_PERCENT}."
    elif promotion.starts_at.tzinfo is None or promotion.ends_at.tzinfo is None:
        problem = "give times with a timezone."
    elif promotion.ends_at <= promotion.starts_at:
        problem = "it must end after it starts."
    if problem:
        raise InvalidPromotion(sku=promotion.sku, problem=problem)

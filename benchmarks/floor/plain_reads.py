"""Two of the shop's reads as plain django-ninja: the same queries, the same JSON, no library."""

from typing import Annotated, Any

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router
from ninja.errors import HttpError

from modules.catalog.api import Currency, ProductOut
from modules.catalog.models import Product, Variant
from modules.inventory.api import SkuIn
from modules.inventory.models import Stock
from modules.pricing.models import ListPrice, Promotion

router = Router()


@router.get("/catalog/products/{slug}", response=ProductOut)
def product(
    request: HttpRequest,
    slug: Annotated[str, Path(max_length=100, pattern=r"^[-A-Za-z0-9_]+$")],
    currency: Currency = "EUR",
) -> dict[str, Any]:
    """One product with its prices."""
    on_sale = Variant.objects.filter(withdrawn=False).order_by("position")
    rows = list(
        Product.objects.prefetch_related(Prefetch("variants", queryset=on_sale))
        .filter(withdrawn=False)
        .filter(slug=slug)
    )
    if not rows:
        raise HttpError(404, "There is no such product.")
    found = rows[0]
    variants = list(found.variants.all())
    prices = _prices([variant.sku for variant in variants], currency)
    return {
        "id": found.id,
        "slug": found.slug,
        "title": found.title,
        "description": found.description,
        "image": found.image,
        "images": [{"path": path, "alt": alt} for path, alt in found.images],
        "category": found.category_id or "",
        "tags": found.tags,
        "options": [{"name": name, "values": values} for name, values in found.options],
        "variants": [
            {
                "sku": variant.sku,
                "name": variant.name,
                "options": variant.options,
                "image": variant.image,
                **prices[variant.sku],
            }
            for variant in variants
        ],
    }


@router.get("/inventory/availability", response=dict[str, int])
def availability(
    request: HttpRequest, sku: Annotated[list[SkuIn], Query(min_length=1, max_length=100)]
) -> dict[str, int]:
    """How many of each SKU can be bought now."""
    rows = Stock.objects.filter(sku__in=sorted(set(sku))).values_list("sku", "available")
    found = dict(rows)
    return {str(one): found.get(one, 0) for one in sku}


def _prices(skus: list[str], currency: str) -> dict[str, dict[str, Any]]:
    moment = timezone.now()
    best = Promotion.objects.filter(sku=OuterRef("sku"), starts_at__lte=moment, ends_at__gt=moment)
    begun = Q(price_list__starts_at__isnull=True) | Q(price_list__starts_at__lte=moment)
    lasts = Q(price_list__ends_at__isnull=True) | Q(price_list__ends_at__gt=moment)
    rows = (
        ListPrice.objects.filter(begun & lasts)
        .filter(sku__in=sorted(skus), currency=currency)
        .annotate(
            percent=_largest(best, "percent"),
            off=_largest(best.filter(currency=currency), "amount"),
        )
        .order_by("price_list__priority", "price_list")
        .values_list("sku", "amount", "percent", "off")
    )
    nothing: dict[str, Any] = {"price": None, "price_before": None}
    prices = {sku: dict(nothing) for sku in skus}
    for sku, amount, percent, off in rows:
        full = {"amount": amount, "currency": currency}
        less = amount - max(round(amount * percent / 100), min(off, amount))
        prices[sku] = {
            "price": {"amount": less, "currency": currency} if less < amount else full,
            "price_before": full if less < amount else None,
        }
    return prices


def _largest(promotions: QuerySet[Promotion], name: str) -> Coalesce:
    return Coalesce(Subquery(promotions.order_by(f"-{name}").values(name)[:1]), Value(0))

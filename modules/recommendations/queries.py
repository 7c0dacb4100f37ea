"""Reads of recommendations."""

from collections.abc import Sequence

from django.db.models import Sum

from modules.recommendations.models import Generation, Pair, Popularity

MOST = 50
"""How many SKUs are looked at, and how many are answered, at most."""


def bought_together(*, skus: Sequence[str], limit: int) -> tuple[str, ...]:
    """See `Recommendations.bought_together`."""
    limit = max(1, min(limit, MOST))
    # No SKU has a NUL, and PostgreSQL refuses to compare with one.
    given = sorted({sku for sku in skus if "\0" not in sku})[:MOST]
    generation = Generation.objects.now().current
    found: list[str] = []
    if given:
        found += (
            Pair.objects.filter(generation=generation, sku__in=given)
            .exclude(other__in=given)
            .values_list("other", flat=True)
            .annotate(together=Sum("orders"))
            .order_by("-together", "other")[:limit]
        )
    if len(found) < limit:
        found += (
            Popularity.objects.filter(generation=generation)
            .exclude(sku__in=[*given, *found])
            .order_by("-orders", "sku")
            .values_list("sku", flat=True)[: limit - len(found)]
        )
    return tuple(found)

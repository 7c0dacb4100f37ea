"""Products to publish, and what catalog has announced."""

from typing import Any

from modules.catalog.interface import ProductDraft, Sku, VariantDraft
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.testing import announcing


def draft(
    slug: str = "mug", *, title: str = "Mug", skus: tuple[str, ...] = ("MUG",), **more: Any
) -> ProductDraft:
    """A product to publish."""
    return ProductDraft(
        slug=slug,
        title=title,
        description="Holds tea.",
        image=f"products/{slug}.svg",
        variants=tuple((Sku(sku), sku.lower()) for sku in skus),
        **more,
    )


def offer(sku: str, *options: str, **more: Any) -> VariantDraft:
    """A variant to publish."""
    return VariantDraft(sku=Sku(sku), name=sku.lower(), options=options, **more)


def announced() -> list[str]:
    """The names of the events that catalog, or its fake, has published."""
    rows = fetch(
        topology().alias("catalog"),
        "SELECT name FROM monolift_outbox WHERE module = 'catalog' ORDER BY number, event",
    )
    return [str(name) for (name,) in rows] + [event.event_name for event in announcing.announced]

"""Goods with categories and options, on sale and in stock."""

from collections.abc import Mapping, Sequence
from itertools import product as combinations
from uuid import uuid4

from modules.catalog.interface import (
    Catalog,
    Category,
    Image,
    Option,
    ProductDraft,
    Sku,
    VariantDraft,
)
from modules.inventory.interface import Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.pricing.interface import ListPrice, Pricing
from monolift import Money, use


def shelves() -> None:
    """Kitchen with cups in it, garden, and an empty one."""
    use(Catalog).set_categories(
        categories=[
            Category(slug="kitchen", title="Kitchen"),
            Category(slug="cups", title="Cups", parent="kitchen"),
            Category(slug="garden", title="Garden"),
            Category(slug="attic", title="Attic"),
        ]
    )


def sell(
    title: str,
    *,
    category: str = "",
    options: Mapping[str, Sequence[str]] | None = None,
    leave_out: Sequence[str] = (),
    price: str = "10.00",
    quantity: int = 10,
    images: Sequence[str] = (),
) -> None:
    """A product with a variant for each combination of its options, called TITLE-value-value.

    `leave_out` names SKUs that do not exist.
    """
    slug = "-".join(title.lower().split())
    options = options or {}
    offers = []
    for values in combinations(*options.values()):
        sku = "-".join([slug.upper(), *values])
        if sku not in leave_out:
            name = ", ".join(values) or "plain"
            offers.append(VariantDraft(sku=Sku(sku), name=name, options=values))
    use(Pricing).set_prices(
        prices=[ListPrice(sku=one.sku, unit=Money.of(price, "EUR")) for one in offers]
    )
    if quantity:
        lines = [Line(sku=StockedSku(one.sku), quantity=quantity) for one in offers]
        use(Inventory).receive(reference=uuid4(), lines=lines)
    paths = images or [f"products/{slug}.svg"]
    use(Catalog).publish_product(
        draft=ProductDraft(
            slug=slug,
            title=title,
            description=f"A {title.lower()}.\n\nIt lasts.",
            image=paths[0],
            images=tuple(Image(path=path, alt=f"{title} seen") for path in paths),
            category=category,
            options=tuple(Option(name=name, values=tuple(v)) for name, v in options.items()),
            offers=tuple(offers),
        )
    )

"""What is for sale in a benchmark, in the shop and on the floor alike, and baskets of it."""

from uuid import UUID, uuid4

import msgspec

from benchmarks.floor import models as floor
from modules.catalog.interface import Catalog, ProductDraft
from modules.catalog.interface import Sku as CatalogSku
from modules.inventory.interface import Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.orders import models as orders
from modules.orders.interface import Address
from modules.pricing.interface import ListPrice, Pricing
from monolift import Money, use

SKUS = ("MUG", "PEN", "TIN")
PRICE = 1250
CARD = "tok_instant"
ADDRESS = Address(
    name="Ada Lovelace",
    street="12 St James's Square",
    city="London",
    postcode="SW1Y 4JH",
    country="GB",
    email="ada@example.org",
)
ADDRESS_BODY = msgspec.to_builtins(ADDRESS)
_PLENTY = 10_000


def shelve() -> None:
    """Put the articles on sale."""
    for sku in SKUS:
        use(Catalog).publish_product(
            draft=ProductDraft(
                slug=sku.lower(),
                title=sku.title(),
                description=f"A {sku.lower()}.",
                image=f"products/{sku.lower()}.svg",
                variants=tuple(
                    (CatalogSku(f"{sku}{suffix}"), name)
                    for suffix, name in (("", "plain"), ("-RED", "red"), ("-BLUE", "blue"))
                ),
            )
        )
        use(Pricing).set_prices(
            prices=[
                ListPrice(sku=f"{sku}{suffix}", unit=Money(PRICE, "EUR"))
                for suffix in ("", "-RED", "-BLUE")
            ]
        )
    restock()


def restock() -> None:
    """Make sure that nothing runs out."""
    lines = [Line(sku=StockedSku(sku), quantity=_PLENTY) for sku in SKUS]
    use(Inventory).receive(reference=uuid4(), lines=lines)
    for sku in SKUS:
        floor.Article.objects.update_or_create(
            sku=sku, defaults={"title": f"{sku.title()}, plain", "price": PRICE, "currency": "EUR"}
        )
        floor.Stock.objects.update_or_create(sku=sku, defaults={"available": _PLENTY})


def baskets(count: int, *, lines: int) -> list[UUID]:
    """Baskets of the shop that are ready to be ordered, one of each of the first `lines` SKUs."""
    made = [
        orders.Basket(id=uuid4(), currency="EUR", address=ADDRESS_BODY, delivery="standard")
        for _ in range(count)
    ]
    orders.Basket.objects.bulk_create(made)
    orders.BasketLine.objects.bulk_create(
        orders.BasketLine(basket=basket, sku=sku, title=sku.title(), name="plain", quantity=1)
        for basket in made
        for sku in SKUS[:lines]
    )
    return [basket.id for basket in made]


def total(lines: int) -> Money:
    """What a basket of that many lines costs, tax included."""
    return Money(lines * (PRICE + PRICE // 5), "EUR")

"""Lists of products and the page of one."""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.http import HttpResponse

from modules.catalog.interface import Catalog, Image, ProductDraft, Sku, VariantDraft
from modules.inventory.interface import Inventory
from modules.pricing.interface import Pricing, Promotion
from modules.recommendations.interface import Recommendations
from modules.storefront.views.listing import PAGE_SIZE
from monolift import override, use
from monolift.kernel import clock
from tests.doubles import silent
from tests.modules.storefront.cost import cost
from tests.modules.storefront.goods import sell, shelves
from tests.modules.storefront.popularity import Popular
from tests.modules.storefront.shopper import Shopper, text
from tests.shop import shelve

pytestmark = pytest.mark.django_db(databases="__all__")


def test_the_list_shows_price_and_stock(shopper: Shopper) -> None:
    shelve("MUG", price="12.50", quantity=10)
    shelve("POT", price="1234.50", quantity=3)
    shelve("TIN", price="7.00", quantity=0)
    shown = text(shopper.get("/products"))
    assert "Mug €12.50 Pot" in shown, "what is no news is not said"
    assert "Pot €1,234.50 Only 3 left" in shown
    assert "Tin €7.00 Sold out" in shown


def test_the_list_is_read_page_by_page(shopper: Shopper) -> None:
    names = [f"P{number:02}" for number in range(PAGE_SIZE + 2)]
    for name in names:
        shelve(name, quantity=0)
    seen: list[str] = []
    path: str | None = "/products"
    while path is not None:
        page = shopper.get(path).content.decode()
        seen += [name for name in names if f">{name}</a>" in page]
        path = page.partition('rel="next" href="')[2].partition('"')[0] or None
        path = f"/products{path}" if path else None
    assert seen == names


def test_an_empty_shop_says_so(shopper: Shopper) -> None:
    assert "The shelves are empty" in text(shopper.get("/"))


def test_a_promotion_crosses_the_old_price_out(shopper: Shopper) -> None:
    shelve("MUG", price="20.00")
    now = clock.now()
    window = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1)}
    use(Pricing).set_promotions(promotions=[Promotion(sku="MUG", percent=15, **window)])
    for path in ("/products", "/products/mug"):
        page = shopper.get(path)
        assert "Now €17.00 instead of €20.00" in text(page)
        assert "<s>" in page.content.decode()


def test_variants_that_differ_in_price_start_from_the_lowest(shopper: Shopper) -> None:
    shelve("LARGE", price="30.00")
    shelve("SMALL", price="20.00", quantity=0)
    use(Catalog).publish_product(
        draft=ProductDraft(
            slug="box",
            title="Box",
            description="A box.",
            image="products/box.svg",
            variants=((Sku("BOX-L"), "large"), (Sku("BOX-S"), "small"), (Sku("BOX-X"), "other")),
        )
    )
    shelve_prices = {"BOX-L": "30.00", "BOX-S": "20.00"}
    _price(shelve_prices)
    assert "Box from €20.00" in text(shopper.get("/products"))
    shown = text(shopper.get("/products/box"))
    assert "Box €30.00 Variant Large €30.00, not available" in shown
    assert "Large, €30.00: Sold out This one cannot be bought right now. Choose another." in shown
    assert "Not sold in EUR" in text(shopper.get("/products/box?sku=BOX-X"))


def _price(prices: Mapping[str, str]) -> None:
    from modules.pricing.interface import ListPrice
    from monolift import Money

    use(Pricing).set_prices(
        prices=[ListPrice(sku=sku, unit=Money.of(price, "EUR")) for sku, price in prices.items()]
    )


def test_the_first_variant_that_can_be_bought_is_chosen(shopper: Shopper) -> None:
    shelve("MUG")
    page = shopper.get("/products/mug").content.decode()
    assert 'name="sku" value="MUG"' in page


@pytest.mark.parametrize(
    ("currency", "price"),
    [("EUR", "€12.50"), ("USD", "$12.50"), ("JPY", "¥1,250"), ("KWD", "KWD 1.250")],
)
def test_prices_are_shown_in_the_chosen_currency(
    shopper: Shopper, currency: str, price: str
) -> None:
    shelve("MUG", price="12.50")
    chosen = shopper.post("/currency", currency=currency, here="/products/mug")
    assert (chosen.status_code, chosen["Location"]) == (303, "/products/mug")
    for path in ("/products", "/products/mug"):
        assert price in text(shopper.get(path))


@pytest.mark.parametrize("path", ["/products", "/products/mug"])
def test_goods_are_shown_without_stock_while_inventory_is_silent(
    shopper: Shopper, path: str
) -> None:
    shelve("MUG")
    with silent(Inventory, "available"):
        response = shopper.get(path)
    assert response.status_code == 200
    assert "€10.00" in text(response)
    assert "stock" not in text(response).lower()
    assert "Sold out" not in text(response)


_CHOICE = re.compile(r'<a class="chip( gone)?"[^>]*href="[?]sku=([^"]*)"( aria-current)?')


def choices(response: HttpResponse) -> list[tuple[str, bool, bool]]:
    """What there is to choose: the SKU it leads to, whether it is chosen, whether it is gone."""
    found = _CHOICE.findall(response.content.decode())
    return [(sku, bool(chosen), bool(gone)) for gone, sku, chosen in found]


def test_options_lead_to_the_variant_that_differs_in_nothing_else(shopper: Shopper) -> None:
    sell("Mug", options={"Colour": ["red", "blue"], "Size": ["small", "large"]})
    response = shopper.get("/products/mug?sku=MUG-blue-large")
    assert choices(response) == [
        ("MUG-red-large", False, False),
        ("MUG-blue-large", True, False),
        ("MUG-blue-small", False, False),
        ("MUG-blue-large", True, False),
    ]
    assert 'name="sku" value="MUG-blue-large"' in response.content.decode()
    assert "Colour Red Blue Size Small Large" in text(response)


def test_a_combination_that_does_not_exist_leads_to_the_nearest(shopper: Shopper) -> None:
    sell(
        "Mug",
        options={"Colour": ["red", "blue"], "Size": ["small", "large"]},
        leave_out=["MUG-red-large"],
    )
    assert choices(shopper.get("/products/mug?sku=MUG-blue-large"))[0] == (
        "MUG-red-small",
        False,
        False,
    )


def test_what_is_sold_out_can_be_seen_but_not_bought(shopper: Shopper) -> None:
    sell("Mug", options={"Colour": ["red", "blue"]}, quantity=0)
    response = shopper.get("/products/mug?sku=MUG-blue")
    assert choices(response) == [("MUG-red", False, True), ("MUG-blue", True, True)]
    assert "Blue, not available" in text(response)
    assert "This one cannot be bought right now. Choose another." in text(response)
    assert "/add" not in response.content.decode()


def test_an_option_of_one_value_is_no_choice(shopper: Shopper) -> None:
    sell("Mug", options={"Colour": ["red"], "Size": ["small", "large"]})
    shown = text(shopper.get("/products/mug"))
    assert "Colour" not in shown
    assert "Size Small Large" in shown


def test_the_pictures_begin_with_that_of_the_chosen_variant(shopper: Shopper) -> None:
    use(Catalog).publish_product(
        draft=ProductDraft(
            slug="mug",
            title="Mug",
            description="A mug.",
            image="",
            images=(Image(path="products/a.svg", alt="From afar"), Image(path="products/b.svg")),
            offers=(
                VariantDraft(sku=Sku("A"), name="red"),
                VariantDraft(sku=Sku("B"), name="blue", image="products/b.svg"),
                VariantDraft(sku=Sku("C"), name="green", image="products/c.svg"),
            ),
        )
    )

    def pictures(query: str) -> list[str]:
        page = shopper.get(f"/products/mug{query}").content.decode()
        gallery = page[page.index('class="gallery"') : page.index("<h1>")]
        return re.findall(r"/static/products/(.)[.]svg", gallery)

    assert pictures("?sku=A") == ["a", "a", "b"]
    assert pictures("?sku=B") == ["b", "b", "a"]
    assert pictures("?sku=C") == ["c", "c", "a", "b"]
    assert pictures("?sku=A&picture=1") == ["b", "a", "b"]
    for none in ("2", "-1", "x", "9" * 999, "\u0661"):
        assert pictures(f"?sku=A&picture={none}") == ["a", "a", "b"], none
    assert 'alt="From afar"' in shopper.get("/products/mug?sku=A").content.decode()


def test_a_product_leads_to_its_categories(shopper: Shopper) -> None:
    shelves()
    sell("Mug", category="cups")
    assert text(shopper.get("/products/mug")).startswith("All products Kitchen Cups")


def test_a_product_leads_to_what_has_the_same_tags(shopper: Shopper) -> None:
    use(Catalog).publish_product(
        draft=ProductDraft(
            slug="mug",
            title="Mug",
            description="A mug.",
            image="",
            variants=((Sku("MUG"), "plain"),),
            tags=("new & old",),
        )
    )
    page = shopper.get("/products/mug").content.decode()
    assert '<a href="/search?q=new+%26+old">New &amp; old</a>' in page


def test_what_is_bought_together_is_shown_once_and_never_itself(shopper: Shopper) -> None:
    sell("Mug", options={"Colour": ["red", "blue"]})
    sell("Pot", options={"Colour": ["red", "blue"]})
    for title in ("Tray", "Spoon", "Jar", "Cosy"):
        sell(title)
    companions = Popular("POT-red", "POT-blue", "MUG-blue", "GONE", "TRAY", "SPOON", "JAR", "COSY")
    with override(Recommendations, companions):
        row = text(shopper.get("/products/mug")).partition("Others also bought")[2]
    titles = [word for word in row.split() if word.istitle()]
    assert titles == ["Pot", "Tray", "Spoon", "Jar"], "the first four"


def test_a_product_is_shown_while_other_modules_are_silent(shopper: Shopper) -> None:
    shelves()
    sell("Mug", category="cups")
    for interface, operation in (
        (Recommendations, "bought_together"),
        (Catalog, "categories"),
        (Inventory, "available"),
    ):
        with silent(interface, operation):
            response = shopper.get("/products/mug")
        assert response.status_code == 200
        assert "Mug €10.00" in text(response)
        assert "Add to basket" in text(response)


@pytest.mark.together
def test_what_a_product_costs(shopper: Shopper) -> None:
    shelves()
    sell("Mug", category="cups", options={"Colour": ["red"]})
    once = cost(shopper, "/products/mug")
    assert once.calls == {
        "catalog.product": 1,
        "catalog.categories": 1,
        "inventory.available": 1,
        "pricing.prices": 1,
        "recommendations.bought_together": 1,
    }
    sell("Pot", category="cups", options={"Colour": ["red", "blue", "green"]})
    assert cost(shopper, "/products/pot") == once, "however many variants"
    for title in ("Tray", "Spoon"):
        sell(title)
    with override(Recommendations, Popular("TRAY", "SPOON")):
        assert cost(shopper, "/products/pot").calls == {
            **once.calls,
            "catalog.cards": 1,
            "catalog.labels": 1,
            "pricing.prices": 2,
        }

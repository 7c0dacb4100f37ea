"""The first page, and the frame that is around all of them."""

from datetime import timedelta

import pytest

from modules.catalog.interface import Catalog, Category
from modules.inventory.interface import Inventory
from modules.pricing.interface import Pricing, Promotion
from modules.recommendations.interface import Recommendations
from monolift import override, use
from monolift.kernel import clock
from monolift.observe import matrix
from tests.doubles import silent
from tests.modules.storefront.cost import cost
from tests.modules.storefront.goods import sell, shelves
from tests.modules.storefront.popularity import Popular
from tests.modules.storefront.shopper import Shopper, text

pytestmark = pytest.mark.django_db(databases="__all__")


def reduce(*skus: str) -> None:
    """Ten percent off, since yesterday."""
    now = clock.now()
    window = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1)}
    use(Pricing).set_promotions(
        promotions=[Promotion(sku=sku, percent=10, **window) for sku in skus]
    )


def test_the_home_page_leads_to_every_category_with_something_in_it(shopper: Shopper) -> None:
    shelves()
    sell("Mug", category="cups")
    sell("Pot", category="kitchen")
    sell("Rake", category="garden")
    shown = text(shopper.get("/"))
    assert "Look around Garden 1 product Kitchen 2 products" in shown
    assert "Attic" not in shown
    page = shopper.get("/").content.decode()
    shelf = page[page.index('<ul class="shelves">') :]
    garden = shelf[shelf.index('href="/categories/garden"') :].partition("</a>")[0]
    assert "/static/products/rake.svg" in garden, "a picture of what is in it"


def test_offers_are_crossed_out_and_not_shown_twice(shopper: Shopper) -> None:
    shelves()
    sell("Mug", category="cups", price="20.00")
    sell("Rake", category="garden")
    reduce("MUG")
    shown = text(shopper.get("/"))
    assert "Cheaper for a while Mug Now €18.00 instead of €20.00" in shown
    assert shown.count("Mug") == 1
    assert "A bit of everything Rake" in shown


def test_the_last_row_takes_something_of_each_category(shopper: Shopper) -> None:
    titles = ["Bread", "Jam", "Rake", "Towel"]
    use(Catalog).set_categories(
        categories=[Category(slug=one.lower(), title=f"{one}s") for one in titles]
    )
    for title in titles:
        for kind in "AB":
            sell(f"{title} {kind}", category=title.lower())
    row = text(shopper.get("/")).partition("A bit of everything")[2]
    assert [title for title in titles if title in row] == titles


def test_what_is_bought_most_is_shown_once_there_were_orders(shopper: Shopper) -> None:
    for title in ("Mug", "Pot"):
        sell(title, options={"Colour": ["red", "blue"]})
    assert "Bought most" not in text(shopper.get("/"))
    sell("Rake")
    popular = Popular("RAKE", "POT-red", "POT-blue", "NO-LONGER-SOLD")
    with override(Recommendations, popular):
        shown = text(shopper.get("/"))
    assert "Bought most Rake €10.00 Pot €10.00 2 to choose from A bit of everything Mug" in shown
    assert shown.count("Pot") == shown.count("Rake") == 1
    reduce("POT-red")
    with override(Recommendations, popular):
        shown = text(shopper.get("/"))
    assert "Bought most Rake €10.00 A bit of everything Mug" in shown
    assert shown.count("Pot") == 1, "among the offers"


def test_a_silent_module_leaves_the_home_page_standing(shopper: Shopper) -> None:
    shelves()
    sell("Mug", category="cups", quantity=2)
    assert "Only 2 left" in text(shopper.get("/"))
    with silent(Inventory, "available"):
        shown = text(shopper.get("/"))
    assert "Mug €10.00" in shown
    assert "left" not in shown
    with silent(Recommendations, "bought_together"):
        assert "Mug €10.00 Only 2 left" in text(shopper.get("/"))
    with silent(Catalog, "categories"):
        response = shopper.get("/")
        assert "Mug €10.00 Only 2 left" in text(response)
        assert "Look around" not in text(response)
        assert 'class="menu"' not in response.content.decode()


def test_every_page_lists_the_categories(shopper: Shopper) -> None:
    shelves()
    sell("Mug", category="cups")
    for path in ("/", "/products", "/products/mug", "/search", "/search?q=x", "/basket", "/none"):
        page = shopper.get(path).content.decode()
        menu = page[page.index('<nav class="menu"') :].partition("</nav>")[0]
        assert 'href="/categories/kitchen"' in menu, path
        assert "cups" not in menu, "a subcategory"
        assert "attic" not in menu, "an empty one"
        assert ("aria-current" in menu) == (path == "/products/mug"), path


@pytest.mark.together
def test_any_page_does_without_its_menu(shopper: Shopper) -> None:
    shelves()
    sell("Mug", category="cups")
    with silent(Catalog, "categories"):
        for path in ("/products", "/products/mug", "/search?q=mug", "/search", "/basket"):
            response = shopper.get(path)
            assert response.status_code == 200
            assert 'class="menu"' not in response.content.decode()


def test_a_page_about_silence_waits_for_no_menu(shopper: Shopper) -> None:
    matrix.clear()
    with silent(Catalog, "categories", "products"):
        response = shopper.get("/")
    assert response.status_code == 503
    assert "secret" not in response.content.decode()
    assert {one.operation for one in matrix.matrix()} == {"catalog.products"}


@pytest.mark.together
def test_what_the_home_page_costs(shopper: Shopper) -> None:
    shelves()
    for title in ("Mug", "Pot", "Rake", "Spade", "Vase"):
        sell(title, category="kitchen", options={"Colour": ["red", "blue"]})
    reduce("MUG-red")
    once = cost(shopper, "/")
    assert once.calls == {
        "catalog.products": 1,
        "catalog.categories": 1,
        "inventory.available": 1,
        "pricing.prices": 1,
        "recommendations.bought_together": 1,
    }
    for number in range(10):
        sell(f"Thing {number}", category="garden")
    assert cost(shopper, "/") == once, "whatever there is"


def test_a_page_of_goods_is_asked_for_again(shopper: Shopper) -> None:
    sell("Mug")
    for path in ("/", "/products", "/products/mug", "/search?q=mug"):
        assert shopper.get(path)["Cache-Control"] == "private, no-cache", path
    assert shopper.get("/search/suggestions?q=m")["Cache-Control"] == "private, max-age=60"

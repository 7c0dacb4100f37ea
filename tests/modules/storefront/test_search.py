"""Finding products, with and without scripts."""

import html
import re

import pytest

from modules.catalog.interface import Catalog, ProductDraft, Sku
from modules.inventory.interface import Inventory
from modules.pricing.interface import ListPrice, Pricing
from modules.recommendations.interface import Recommendations
from modules.search.interface import Search
from modules.storefront.views.listing import PAGE_SIZE
from modules.storefront.views.search import SUGGESTIONS
from monolift import Money, override, use
from monolift.testing.scenario import Scenario
from tests.doubles import silent
from tests.modules.storefront.cost import cost
from tests.modules.storefront.goods import sell, shelves
from tests.modules.storefront.popularity import Popular
from tests.modules.storefront.shopper import Shopper, text
from tests.modules.storefront.test_listing import following, titles

pytestmark = pytest.mark.django_db(databases="__all__")

_SUGGESTION = re.compile(r'data-href="([^"]*)">([^<]*)')


@pytest.fixture
def goods(scenario: Scenario) -> None:
    """Mugs, and something that is none."""
    shelves()
    sell("Mug", category="cups", options={"Colour": ["red", "blue"]})
    sell("Mug tree", category="kitchen")
    sell("Mulch", category="garden")
    scenario.run_until_idle()


def suggested(shopper: Shopper, typed: str) -> list[tuple[str, str]]:
    """Where the suggestions lead, and what they say."""
    page = shopper.get("/search/suggestions", data={"q": typed}).content.decode()
    return [(path, html.unescape(said).strip()) for path, said in _SUGGESTION.findall(page)]


@pytest.mark.usefixtures("goods")
def test_the_form_in_the_frame_finds_products(shopper: Shopper) -> None:
    response = shopper.get("/search?q=mug")
    page = response.content.decode()
    assert titles(page) == ["Mug", "Mug tree"]
    assert "Results for “mug”" in text(response)
    assert "2 products." in text(response)
    assert 'name="q" value="mug"' in page, "to be changed"
    assert 'content="noindex"' in page


def test_results_say_from_which_price_and_what_is_left(
    shopper: Shopper, scenario: Scenario
) -> None:
    sell("Tea pot", options={"Size": ["small", "large"]})
    use(Pricing).set_prices(prices=[ListPrice(sku="TEA-POT-large", unit=Money.of("14.00", "EUR"))])
    sell("Tea strainer", quantity=3)
    sell("Tea tray", quantity=0)
    scenario.run_until_idle()
    page = text(shopper.get("/search?q=tea"))
    assert "Tea pot from €10.00 2 to choose from" in page
    assert "Tea strainer €10.00 Only 3 left" in page
    assert "Tea tray €10.00 Sold out" in page
    with silent(Inventory, "available"):
        page = text(shopper.get("/search?q=tea"))
    assert "Tea tray" in page
    assert "Sold out" not in page, "nobody knows"


@pytest.mark.together
@pytest.mark.usefixtures("goods")
def test_a_typing_error_is_understood(shopper: Shopper) -> None:
    response = shopper.get("/search?q=mullch")
    assert "Did you mean mulch?" in text(response)
    assert titles(response.content.decode()) == ["Mulch"]


@pytest.mark.usefixtures("goods")
def test_nothing_found_says_what_to_do(shopper: Shopper) -> None:
    response = shopper.get("/search?q=xyzzyq")
    assert response.status_code == 200
    assert "Nothing fits. Try fewer words" in text(response)
    assert "Others bought" not in text(response)
    with override(Recommendations, Popular("MUG-red", "MULCH")):
        response = shopper.get("/search?q=xyzzyq")
        assert "Others bought Mug €10.00 2 to choose from Mulch" in text(response)
        assert "Others bought" not in text(shopper.get("/search?q=mug"))


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("query", ["", "?q=", "?q=%20%20", "?q=%00"])
def test_searching_for_nothing_offers_the_categories(shopper: Shopper, query: str) -> None:
    response = shopper.get(f"/search{query}")
    assert "What are you looking for?" in text(response)
    assert "Garden 1 Kitchen 2" in text(response)


@pytest.mark.usefixtures("goods")
def test_what_was_found_is_narrowed_by_category_and_option(shopper: Shopper) -> None:
    page = shopper.get("/search?q=mug").content.decode()
    assert "/search?q=mug&amp;category=cups" in page
    response = shopper.get("/search?q=mug&category=cups")
    assert titles(response.content.decode()) == ["Mug"]
    assert 'name="category" value="cups"' in response.content.decode(), "kept by the form"
    assert titles(shopper.get("/search?q=mug&o:Colour=blue").content.decode()) == ["Mug"]


def test_results_go_on_with_the_words_kept(shopper: Shopper, scenario: Scenario) -> None:
    names = [f"Mug {number:02}" for number in range(PAGE_SIZE + 1)]
    for name in names:
        sell(name)
    scenario.run_until_idle()
    first = shopper.get("/search?q=mug").content.decode()
    more = following(first)
    assert more
    second = shopper.get(f"/search{more}").content.decode()
    assert titles(first) + titles(second) == names


@pytest.mark.usefixtures("goods")
def test_a_product_withdrawn_since_it_was_indexed_is_left_out(shopper: Shopper) -> None:
    use(Catalog).withdraw_product(slug="mug")
    assert titles(shopper.get("/search?q=mug").content.decode()) == ["Mug tree"]


@pytest.mark.usefixtures("goods")
def test_suggestions_lead_to_categories_and_products(shopper: Shopper) -> None:
    assert ("/products/mug", "Mug") in suggested(shopper, "mu")
    assert suggested(shopper, "gard") == [("/categories/garden", "Garden")]
    page = shopper.get("/search/suggestions?q=mu").content.decode()
    assert page.count('role="option"') == page.count("data-href") == 3
    assert 'role="listbox"' in page
    assert "<html" not in page, "a fragment"


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("typed", ["", " ", "\x00", "xyzzyq"])
def test_nothing_to_suggest_is_an_empty_answer(shopper: Shopper, typed: str) -> None:
    response = shopper.get("/search/suggestions", data={"q": typed})
    assert (response.status_code, response.content.strip()) == (200, b"")


@pytest.mark.together
def test_titles_are_written_as_text(shopper: Shopper, scenario: Scenario) -> None:
    sell("Mug")
    use(Catalog).publish_product(draft=_named("<b>Mug</b>"))
    scenario.run_until_idle()
    assert ("/products/b", "<b>Mug</b>") in suggested(shopper, "mug")
    assert "<b>Mug" not in shopper.get("/search/suggestions?q=mug").content.decode()


def _named(title: str) -> ProductDraft:
    return ProductDraft(
        slug="b", title=title, description="x", image="", variants=((Sku("B"), "plain"),)
    )


@pytest.mark.usefixtures("goods")
def test_no_more_suggestions_than_fit(shopper: Shopper, scenario: Scenario) -> None:
    for number in range(SUGGESTIONS + 3):
        sell(f"Mug {number}")
    scenario.run_until_idle()
    assert len(suggested(shopper, "mug")) == SUGGESTIONS


@pytest.mark.usefixtures("goods")
def test_a_silent_search_is_said_and_suggests_nothing(shopper: Shopper) -> None:
    with silent(Search, "search", "suggest"):
        response = shopper.get("/search?q=mug")
        assert response.status_code == 503
        assert "Try again" in text(response)
        assert "secret" not in response.content.decode()
        response = shopper.get("/search/suggestions?q=mug")
        assert (response.status_code, response.content.strip()) == (200, b"")


@pytest.mark.together
@pytest.mark.usefixtures("goods")
def test_what_a_search_costs(shopper: Shopper) -> None:
    assert cost(shopper, "/search?q=mug").calls == {
        "catalog.cards": 1,
        "catalog.categories": 1,
        "inventory.available": 1,
        "pricing.prices": 1,
        "search.search": 1,
    }
    assert cost(shopper, "/search/suggestions?q=mug").calls == {"search.suggest": 1}

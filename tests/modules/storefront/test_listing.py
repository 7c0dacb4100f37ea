"""Categories, narrowing a list by options, and going through its pages."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from modules.inventory.interface import Inventory
from modules.search.interface import Search
from modules.storefront.views.listing import PAGE_SIZE
from modules.storefront.views.narrowing import GROUPS, SHOWN
from monolift.testing.scenario import Scenario
from tests.doubles import silent
from tests.modules.storefront.cost import cost
from tests.modules.storefront.goods import sell, shelves
from tests.modules.storefront.shopper import Shopper, text

pytestmark = pytest.mark.django_db(databases="__all__")

_TITLE = re.compile(r'<h[23]><a href="/products/[^"]*">([^<]*)</a>')
_BOX = re.compile(r'name="o:([^"]*)" value="([^"]*)"( checked)?')
_COUNT = re.compile(r"<span>([^<]*)</span> <small>(\d+)</small>")


def titles(page: str) -> list[str]:
    """What a list shows."""
    return _TITLE.findall(page)


def following(page: str) -> str | None:
    """Where "More products" leads, as a page without scripts follows it."""
    found = re.search(r'rel="next" href="([^"]*)"', page)
    return found[1].replace("&amp;", "&") if found else None


@pytest.fixture
def goods(scenario: Scenario) -> None:
    """Cups in two colours, a pot in another, a rake; all of them known to search."""
    shelves()
    sell(
        "Mug",
        category="cups",
        options={"Colour": ["red", "blue"], "Size": ["S", "M", "XL", "One", "36"]},
    )
    sell("Beaker", category="cups", options={"Colour": ["blue"]})
    sell("Pot", category="kitchen", options={"Colour": ["green"]})
    sell("Rake", category="garden", options={"Length": ["2 m", "10 m", "1.5 m"]})
    scenario.run_until_idle()


@pytest.mark.usefixtures("goods")
def test_a_category_shows_what_is_in_it_and_below(shopper: Shopper) -> None:
    page = shopper.get("/categories/kitchen").content.decode()
    assert titles(page) == ["Beaker", "Mug", "Pot"]
    assert 'href="/categories/cups"' in page, "its subcategory"
    page = shopper.get("/categories/cups").content.decode()
    assert titles(page) == ["Beaker", "Mug"]
    trail = page[page.index('aria-label="Where this is"') :].partition("</nav>")[0]
    assert 'href="/categories/kitchen"' in trail
    assert "<h1>Cups</h1>" in page


@pytest.mark.usefixtures("goods")
def test_an_empty_category_says_so(shopper: Shopper) -> None:
    response = shopper.get("/categories/attic")
    assert response.status_code == 200
    assert "There is nothing on this shelf yet." in text(response)


@pytest.mark.usefixtures("goods")
def test_a_list_is_narrowed_by_values_of_one_option_or_another(shopper: Shopper) -> None:
    page = shopper.get("/categories/kitchen").content.decode()
    assert [(name, value) for name, value, _ in _BOX.findall(page)] == [
        ("Colour", "blue"),
        ("Colour", "green"),
        ("Colour", "red"),
        ("Size", "S"),
        ("Size", "M"),
        ("Size", "XL"),
        ("Size", "36"),
        ("Size", "One"),
    ]
    assert ("Blue", "2") in _COUNT.findall(page)
    response = shopper.get("/categories/kitchen?o:Colour=red&o:Colour=green")
    page = response.content.decode()
    assert titles(page) == ["Mug", "Pot"]
    assert "2 products. Show all" in text(response)
    ticked = [value for _, value, checked in _BOX.findall(page) if checked]
    assert ticked == ["green", "red"]
    assert titles(shopper.get("/products?o:Colour=blue&o:Size=S").content.decode()) == ["Mug"]


@pytest.mark.usefixtures("goods")
def test_narrowed_to_nothing_offers_the_way_back(shopper: Shopper) -> None:
    response = shopper.get("/categories/garden?o:Colour=red")
    assert "Nothing is like that. Untick something." in text(response)
    assert ("Colour", "red", " checked") in _BOX.findall(response.content.decode())
    assert '<a href="/categories/garden">Show all</a>' in response.content.decode()


@pytest.mark.usefixtures("goods")
def test_measures_and_sizes_are_offered_from_small_to_large(shopper: Shopper) -> None:
    page = shopper.get("/products").content.decode()
    boxes = [(name, value) for name, value, _ in _BOX.findall(page)]
    assert [value for name, value in boxes if name == "Length"] == ["1.5 m", "2 m", "10 m"]
    assert [value for name, value in boxes if name == "Size"] == ["S", "M", "XL", "36", "One"]


def test_many_values_are_behind_a_click_unless_one_is_ticked(
    shopper: Shopper, scenario: Scenario
) -> None:
    colours = [f"colour{number:02}" for number in range(SHOWN + 3)]
    sell("Mug", options={"Colour": colours})
    scenario.run_until_idle()
    page = shopper.get("/products").content.decode()
    others = page.partition('<details class="others"')[2].partition("</details>")[0]
    assert "3 more" in others
    assert [value for _, value, _ in _BOX.findall(others)] == colours[SHOWN:]
    assert " open>" not in others
    page = shopper.get("/products", data={"o:Colour": colours[-1]}).content.decode()
    others = page.partition('<details class="others"')[2].partition("</details>")[0]
    assert " open>" in others


def test_the_options_of_most_products_are_offered_and_what_is_chosen(
    shopper: Shopper, scenario: Scenario
) -> None:
    rare = [f"Rare{number}" for number in range(GROUPS)]
    for name in ["Colour", *rare]:
        sell(f"Mug {name}", options={name: ["this"]})
    sell("Pot", options={"Colour": ["this"]})
    scenario.run_until_idle()
    page = shopper.get("/products").content.decode()
    offered = {name for name, _, _ in _BOX.findall(page)}
    assert len(offered) == GROUPS
    assert "Colour" in offered
    page = shopper.get(f"/products?o:{rare[-1]}=this").content.decode()
    assert (rare[-1], "this", " checked") in _BOX.findall(page)


def test_every_page_keeps_what_the_list_was_narrowed_by(
    shopper: Shopper, scenario: Scenario
) -> None:
    shelves()
    for number in range(PAGE_SIZE + 1):
        sell(f"Cup {number:02}", category="cups", options={"Colour": ["red"]})
        sell(f"Jar {number:02}", category="cups", options={"Colour": ["blue"]})
    scenario.run_until_idle()
    first = shopper.get("/categories/cups?o:Colour=red").content.decode()
    more = following(first)
    assert more
    assert ("o:Colour", "red") in parse_qsl(urlsplit(more).query)
    second = shopper.get(f"/categories/cups{more}").content.decode()
    seen = titles(first) + titles(second)
    assert seen == [f"Cup {number:02}" for number in range(PAGE_SIZE + 1)]
    assert following(second) is None
    assert 'href="?o%3AColour=red">First page</a>' in second


@pytest.mark.usefixtures("goods")
def test_silent_modules_leave_the_list_standing(shopper: Shopper) -> None:
    with silent(Search, "search"):
        response = shopper.get("/categories/kitchen")
        assert titles(response.content.decode()) == ["Beaker", "Mug", "Pot"]
        assert "Narrow down" not in text(response)
        response = shopper.get("/categories/kitchen?o:Colour=red")
        assert titles(response.content.decode()) == ["Beaker", "Mug", "Pot"]
        assert "cannot be narrowed down right now" in text(response)
    with silent(Inventory, "available"):
        assert titles(shopper.get("/categories/kitchen").content.decode()) == [
            "Beaker",
            "Mug",
            "Pot",
        ]


@pytest.mark.together
@pytest.mark.usefixtures("goods")
def test_what_a_list_costs(shopper: Shopper) -> None:
    once = cost(shopper, "/categories/kitchen")
    assert once.calls == {
        "catalog.products": 1,
        "catalog.categories": 1,
        "inventory.available": 1,
        "pricing.prices": 1,
        "search.search": 1,
    }
    narrowed = cost(shopper, "/categories/kitchen?o:Colour=red")
    assert narrowed.calls == {
        "catalog.cards": 1,
        "catalog.categories": 1,
        "inventory.available": 1,
        "pricing.prices": 1,
        "search.search": 1,
    }
    for number in range(5):
        sell(f"Cup {number}", category="cups", options={"Colour": ["red"]})
    assert cost(shopper, "/categories/kitchen") == once, "however long it is"

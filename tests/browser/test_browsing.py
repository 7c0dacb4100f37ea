"""Looking around in a real browser, with and without scripts, by mouse and by keyboard."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from modules.catalog.interface import Catalog, Category
from modules.search.interface import Search
from modules.storefront.views.listing import PAGE_SIZE
from monolift import use
from monolift.testing.scenario import Scenario
from tests.browser.conftest import Open
from tests.doubles import silent
from tests.modules.storefront.goods import sell, shelves

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases="__all__", transaction=True),
]
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
PICTURES = ("products/wall-clock.svg", "products/bath-mat.svg")


@pytest.fixture
def goods(scenario: Scenario) -> None:
    """Two clocks and a rake, in three categories."""
    shelves()
    sell(
        "Clock",
        category="cups",
        options={"Colour": ["red", "blue"], "Size": ["S", "M"]},
        images=PICTURES,
    )
    sell("Clock radio", category="kitchen", options={"Colour": ["blue"]}, images=PICTURES[:1])
    sell("Rake", category="garden", options={"Length": ["1 m", "2 m"]}, images=PICTURES[1:])
    scenario.run_until_idle()


def titles(page: Page) -> list[str]:
    """What a list shows."""
    return page.locator("#shelf .tile a").all_inner_texts()


def current(page: Page) -> str:
    """The address, without where the server is."""
    return re.sub(r"^https?://[^/]+", "", page.url)


@pytest.mark.usefixtures("goods")
@SCRIPTS
def test_from_the_first_page_to_a_product(visit: Open, *, scripts: bool) -> None:
    page = visit(scripts=scripts)
    page.get_by_role("navigation", name="Categories of the shop").get_by_text("Kitchen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kitchen")
    assert titles(page) == ["Clock", "Clock radio"]
    page.get_by_role("link", name="Cups").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cups")
    page.get_by_role("link", name="Clock").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clock")
    page.get_by_role("navigation", name="Where this is").get_by_text("Kitchen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kitchen")


@pytest.mark.usefixtures("goods")
@SCRIPTS
def test_searching(visit: Open, *, scripts: bool) -> None:
    page = visit(scripts=scripts)
    page.get_by_label("Search the shop").fill("clock")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Results for “clock”")
    assert titles(page) == ["Clock", "Clock radio"]
    expect(page.get_by_label("Search the shop")).to_have_value("clock")


@pytest.mark.usefixtures("goods")
def test_suggestions_appear_while_typing(visit: Open) -> None:
    page = visit()
    field = page.get_by_role("combobox", name="Search the shop")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press_sequentially("clo")
    options = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(options).to_have_text(["Clock", "Clock radio"])
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press_sequentially("ck r")
    expect(options).to_have_text(["Clock radio"])
    options.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clock radio")


@pytest.mark.usefixtures("goods")
def test_suggestions_by_keyboard(visit: Open) -> None:
    page = visit()
    field = page.get_by_role("combobox", name="Search the shop")
    field.press_sequentially("clo")
    options = page.get_by_role("option")
    expect(options).to_have_count(2)
    assert field.get_attribute("aria-activedescendant") is None

    def chosen() -> list[bool]:
        return [one.get_attribute("aria-selected") == "true" for one in options.all()]

    field.press("ArrowDown")
    assert chosen() == [True, False]
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("ArrowUp")
    assert chosen() == [False, True], "round the end"
    field.press("ArrowDown")
    assert chosen() == [True, False]
    expect(field).to_be_focused()
    field.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(field).to_have_attribute("aria-expanded", "false")
    assert field.get_attribute("aria-activedescendant") is None
    expect(field).to_have_value("clo")
    field.press("ArrowDown")
    expect(page.get_by_role("listbox")).to_be_visible()
    field.press("ArrowDown")
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Clock radio")


@pytest.mark.usefixtures("goods")
def test_enter_searches_while_nothing_is_chosen(visit: Open) -> None:
    page = visit()
    field = page.get_by_role("combobox", name="Search the shop")
    field.press_sequentially("clock")
    expect(page.get_by_role("listbox")).to_be_visible()
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Results for “clock”")
    field.press_sequentially("s")
    field.press("Tab")
    expect(page.get_by_role("listbox")).to_be_hidden()


@pytest.mark.usefixtures("goods")
def test_suggestions_that_do_not_come_are_not_missed(visit: Open) -> None:
    page = visit()
    with silent(Search, "search", "suggest"):
        with page.expect_response(re.compile("/search/suggestions")):
            page.get_by_label("Search the shop").press_sequentially("clo")
        expect(page.locator("#notice")).to_be_empty()
        expect(page.get_by_role("listbox")).to_be_hidden()


@pytest.mark.usefixtures("goods")
def test_narrowing_down_with_scripts(visit: Open) -> None:
    page = visit("/products")
    page.get_by_label("Blue").check()
    expect(page.get_by_text("2 products.")).to_be_visible()
    assert titles(page) == ["Clock", "Clock radio"]
    expect(page.get_by_label("Blue")).to_be_focused()
    assert current(page) == "/products?o%3AColour=blue"
    page.get_by_label("M", exact=False).and_(page.locator("[name='o:Size']")).check()
    expect(page.get_by_text("1 product.")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("2 products.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("#shelf .tile")).to_have_count(3)


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("width", [360, 1280])
def test_narrowing_down_without_scripts(visit: Open, width: int) -> None:
    page = visit("/products", scripts=False, width=width)
    page.get_by_text("Narrow down").click()
    page.get_by_label("Blue").check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_text("2 products.")).to_be_visible()
    expect(page.get_by_label("Blue")).to_be_checked()
    assert titles(page) == ["Clock", "Clock radio"]


def test_what_was_opened_stays_open(visit: Open, scenario: Scenario) -> None:
    colours = [f"colour{number:02}" for number in range(12)]
    sell("Clock", options={"Colour": colours}, images=PICTURES)
    scenario.run_until_idle()
    page = visit("/products")
    expect(page.get_by_label("Colour11")).to_be_hidden()
    page.get_by_text("6 more").click()
    page.get_by_label("Colour00").check()
    expect(page.get_by_text("1 product.")).to_be_visible()
    expect(page.get_by_label("Colour11")).to_be_visible()


def test_narrow_screens_show_the_goods_first(visit: Open, scenario: Scenario) -> None:
    sell("Clock", options={"Colour": ["red", "blue"]}, images=PICTURES)
    scenario.run_until_idle()
    page = visit("/products", width=360)
    expect(page.get_by_label("Blue")).to_be_hidden()
    page.get_by_text("Narrow down").click()
    page.get_by_label("Blue").check()
    expect(page.get_by_text("1 product.")).to_be_visible()
    expect(page.get_by_label("Blue")).to_be_visible()


@SCRIPTS
def test_more_of_a_list(visit: Open, *, scripts: bool) -> None:
    names = [f"Clock {number:02}" for number in range(PAGE_SIZE + 3)]
    for name in names:
        sell(name, images=PICTURES)
    page = visit("/products", scripts=scripts)
    assert titles(page) == names[:PAGE_SIZE]
    page.get_by_role("link", name="More products").press("Enter")
    if scripts:
        expect(page.locator("#shelf .tile")).to_have_count(len(names))
        assert titles(page) == names
        expect(page.get_by_role("link", name=names[PAGE_SIZE])).to_be_focused()
        assert current(page) == "/products"
    else:
        expect(page.get_by_role("heading", level=1)).to_have_text("All products continued")
        assert titles(page) == names[PAGE_SIZE:]
        page.get_by_role("link", name="First page").click()
        expect(page.locator("#shelf .tile")).to_have_count(PAGE_SIZE)
    expect(page.get_by_role("link", name="More products")).to_have_count(int(not scripts))


@pytest.mark.usefixtures("goods")
@SCRIPTS
def test_choosing_a_variant(visit: Open, *, scripts: bool) -> None:
    page = visit("/products/clock", scripts=scripts)
    group = page.get_by_role("group", name="Colour")
    expect(group.get_by_role("link", name="Red")).to_have_attribute("aria-current", "true")
    group.get_by_role("link", name="Blue").click()
    expect(group.get_by_role("link", name="Blue")).to_have_attribute("aria-current", "true")
    assert current(page) == "/products/clock?sku=CLOCK-blue-S"
    page.get_by_role("group", name="Size").get_by_role("link", name="M").click()
    expect(page.locator("[name=sku]")).to_have_value("CLOCK-blue-M")
    page.get_by_role("link", name="Picture 2").click()
    large = page.locator(".gallery .large img")
    expect(large).to_have_attribute("src", re.compile("bath-mat"))
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_label("Basket, 1 article")).to_be_visible()


@pytest.mark.usefixtures("goods")
def test_a_choice_keeps_the_keyboard_where_it_was(visit: Open) -> None:
    page = visit("/products/clock")
    page.get_by_role("link", name="Blue").press("Enter")
    expect(page.get_by_role("link", name="Blue")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("link", name="Blue")).to_be_focused()


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("width", [360, 820, 1440])
def test_nothing_is_wider_than_the_screen(visit: Open, tmp_path: Path, width: int) -> None:
    page = visit(width=width)
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    for number, path in enumerate(
        ["/", "/products", "/categories/kitchen", "/search?q=clock", "/search", "/products/clock"]
    ):
        page.goto(path)
        page.screenshot(path=tmp_path / f"{number}.png", full_page=True)
        excess = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert excess <= 0, (path, excess)
    assert messages == [], "nothing is blocked, missing or broken"


@pytest.mark.parametrize("width", [360, 820])
def test_many_categories_are_pushed_sideways_and_not_the_page(
    visit: Open, scenario: Scenario, width: int
) -> None:
    titles = [f"Lamps of the {name} kind" for name in ("first", "second", "third", "fourth")]
    slugs = [f"lamps-{number}" for number in range(len(titles))]
    use(Catalog).set_categories(
        categories=[
            Category(slug=one, title=title) for one, title in zip(slugs, titles, strict=True)
        ]
    )
    for slug in slugs:
        sell(f"Lamp {slug}", category=slug, images=["products/wall-clock.svg"])
    scenario.run_until_idle()
    page = visit("/search?q=lamp", width=width)
    expect(
        page.get_by_role("navigation", name="Categories found").get_by_role("link")
    ).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= width

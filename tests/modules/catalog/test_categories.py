"""The tree of categories, and what is found in it."""

from collections.abc import Sequence

import pytest

from modules.catalog.interface import Catalog, Category, CategoryNotFound, InvalidCategory
from monolift import use
from monolift.testing.statements import statements
from tests.modules.catalog.drafts import announced, draft

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Catalog),
]
catalog = use(Catalog)

KITCHEN = Category(slug="kitchen", title="Kitchen")
CUPS = Category(slug="cups", title="Cups", parent="kitchen")
PANS = Category(slug="pans", title="Pans", parent="kitchen")
DESK = Category(slug="desk", title="Desk")
TREE = (CUPS, DESK, KITCHEN, PANS)


def slugs(category: str | None, *, limit: int = 100) -> list[str]:
    """Everything in a category, read page by page."""
    found: list[str] = []
    after = None
    while True:
        page = catalog.products(currency="EUR", limit=limit, after=after, category=category)
        found += [product.slug for product in page.products]
        after = page.next
        if after is None:
            return found


def counts() -> dict[str, int]:
    """How many products are in each category."""
    return {one.slug: one.count for one in catalog.categories()}


def test_main_categories_are_followed_by_their_own() -> None:
    catalog.set_categories(categories=TREE)
    assert list(catalog.categories()) == [DESK, KITCHEN, CUPS, PANS]


@pytest.mark.topologies("local", "loopback")
def test_setting_again_changes_names_and_keeps_the_others() -> None:
    catalog.set_categories(categories=TREE)
    renamed = Category(slug="cups", title="Mugs and cups", parent="kitchen", count=99)
    catalog.set_categories(categories=[renamed])
    found = {one.slug: one for one in catalog.categories()}
    assert found["cups"] == Category(slug="cups", title="Mugs and cups", parent="kitchen")
    assert len(found) == 4
    with statements() as seen:
        catalog.set_categories(categories=[renamed])
    assert not [one for one in seen if "catalog_" in one and not one.startswith("SELECT")]


@pytest.mark.topologies("local", "loopback")
@pytest.mark.parametrize(
    ("categories", "problem"),
    [
        ([Category(slug="no good", title="x")], "its slug must be"),
        ([Category(slug="x", title=" ")], "it has no title"),
        ([Category(slug="x", title="x" * 101)], "at most 100"),
        ([Category(slug="x", title="a\0b")], "NUL"),
        ([KITCHEN, KITCHEN], "it is there twice"),
        ([Category(slug="x", title="x", parent="none")], "there is no category none"),
        ([Category(slug="x", title="x", parent="x")], "two levels"),
        ([*TREE, Category(slug="x", title="x", parent="cups")], "cups is a subcategory"),
        ([*TREE[:3], Category(slug="kitchen", title="K", parent="desk")], "twice"),
        ([Category(slug=f"c{n}", title="x") for n in range(1001)], "at most 1000 at a time"),
    ],
)
def test_what_is_no_tree_is_refused(categories: Sequence[Category], problem: str) -> None:
    with pytest.raises(InvalidCategory, match=problem):
        catalog.set_categories(categories=categories)
    assert not catalog.categories()


def test_a_category_with_subcategories_stays_a_main_one() -> None:
    catalog.set_categories(categories=TREE)
    with pytest.raises(InvalidCategory, match="it has a subcategory, cups"):
        catalog.set_categories(categories=[Category(slug="kitchen", title="K", parent="desk")])


def test_products_are_found_in_their_category_and_the_one_above() -> None:
    catalog.set_categories(categories=TREE)
    catalog.publish_products(
        drafts=[
            draft("mug", category="cups"),
            draft("pan", title="Pan", skus=("PAN",), category="pans"),
            draft("tray", title="Tray", skus=("TRAY",), category="kitchen"),
            draft("pen", title="Pen", skus=("PEN",), category="desk"),
            draft("odd", title="Odd", skus=("ODD",)),
        ]
    )
    assert slugs("kitchen", limit=1) == ["mug", "pan", "tray"]
    assert slugs("cups") == ["mug"]
    assert slugs("desk") == ["pen"]
    assert slugs(None) == ["mug", "odd", "pan", "pen", "tray"]
    assert counts() == {"desk": 1, "kitchen": 3, "cups": 1, "pans": 1}
    assert catalog.product(slug="mug", currency="EUR").category == "cups"
    assert catalog.product(slug="odd", currency="EUR").category == ""
    catalog.withdraw_product(slug="pan")
    assert slugs("kitchen") == ["mug", "tray"]
    assert counts()["kitchen"] == 2


def test_categories_count_what_comes_moves_and_goes() -> None:
    catalog.set_categories(categories=TREE)

    def publish(*places: tuple[str, str]) -> None:
        catalog.publish_products(
            drafts=[draft(slug, skus=(slug.upper(),), category=place) for slug, place in places]
        )

    publish(("mug", "cups"), ("pan", "pans"), ("odd", ""))
    publish(("mug", "cups"), ("pan", "cups"), ("odd", "desk"))
    assert counts() == {"desk": 1, "kitchen": 2, "cups": 2, "pans": 0}
    publish(("pan", "pans"), ("mug", "desk"), ("odd", ""))
    assert counts() == {"desk": 1, "kitchen": 1, "cups": 0, "pans": 1}
    catalog.withdraw_product(slug="mug")
    catalog.withdraw_product(slug="mug")
    assert counts() == {"desk": 0, "kitchen": 1, "cups": 0, "pans": 1}
    publish(("mug", "cups"))
    catalog.set_categories(categories=TREE)
    assert counts() == {"desk": 0, "kitchen": 2, "cups": 1, "pans": 1}


@pytest.mark.topologies("local", "loopback")
def test_counting_is_one_statement_for_any_number_of_products() -> None:
    catalog.set_categories(categories=TREE)
    with statements() as seen:
        catalog.categories()
    assert len(seen) == 1
    assert "catalog_product" not in seen[0]


def test_a_category_that_moves_takes_its_products_along() -> None:
    catalog.set_categories(categories=TREE)
    catalog.publish_product(draft=draft("mug", category="cups"))
    before = announced()
    catalog.set_categories(categories=[Category(slug="cups", title="Cups", parent="desk")])
    assert (slugs("kitchen"), slugs("desk"), slugs("cups")) == ([], ["mug"], ["mug"])
    catalog.set_categories(categories=[Category(slug="cups", title="Cups")])
    assert (slugs("desk"), slugs("cups")) == ([], ["mug"])
    assert catalog.publish_product(draft=draft("mug", category="cups"))
    assert announced() == before


def test_a_category_that_is_not_there_is_said() -> None:
    with pytest.raises(CategoryNotFound, match="no category called none"):
        catalog.products(currency="EUR", category="none")
    with pytest.raises(CategoryNotFound, match="no category called none"):
        catalog.publish_product(draft=draft(category="none"))


@pytest.mark.together
@pytest.mark.topologies("local", "loopback")
def test_reading_takes_few_statements_however_many_there_are() -> None:
    catalog.set_categories(
        categories=[
            *(Category(slug=f"m{n}", title=f"M {n}") for n in range(5)),
            *(Category(slug=f"s{n}", title=f"S {n}", parent=f"m{n % 5}") for n in range(20)),
        ]
    )
    catalog.publish_products(
        drafts=[draft(f"p{n}", skus=(f"P{n}",), category=f"s{n % 20}") for n in range(40)]
    )
    with statements() as seen:
        assert len(catalog.categories()) == 25
    assert len(seen) == 1
    with statements() as seen:
        assert len(slugs("m1")) == 8
    # The category, the products, their variants, the prices.
    assert len(seen) == 4

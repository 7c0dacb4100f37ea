"""Products and variants: what catalog promises to whoever calls it."""

import base64
import json

import pytest

from modules.catalog.interface import (
    Catalog,
    InvalidCursor,
    ProductNotFound,
    Sku,
    SkuTaken,
    VariantLabel,
)
from monolift import Money, use
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements
from tests.modules.catalog.drafts import announced, draft
from tests.shop import shelve

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.topologies("local", "loopback", fake=Catalog),
]
catalog = use(Catalog)


def test_a_published_product_is_shown_with_its_price() -> None:
    shelve("MUG", price="12.50")
    product = catalog.product(slug="mug", currency="EUR")
    assert product.title == "Mug"
    assert [(one.sku, one.price) for one in product.variants] == [("MUG", Money(1250, "EUR"))]


def test_a_product_without_a_price_is_shown_without() -> None:
    catalog.publish_product(draft=draft())
    assert catalog.product(slug="mug", currency="EUR").variants[0].price is None


@pytest.mark.inside
def test_publishing_again_keeps_the_id_and_announces_changes_only(scenario: Scenario) -> None:
    first = catalog.publish_product(draft=draft())
    assert len(announced()) == 1
    assert catalog.publish_product(draft=draft()) == first
    assert len(announced()) == 1
    assert catalog.publish_product(draft=draft(title="Tea mug")) == first
    assert len(announced()) == 2
    catalog.publish_product(draft=draft(title="Tea mug", skus=("MUG", "MUG-XL")))
    assert len(announced()) == 3
    assert catalog.product(slug="mug", currency="EUR").title == "Tea mug"


def test_a_variant_that_the_draft_lacks_is_withdrawn_and_can_come_back() -> None:
    catalog.publish_product(draft=draft(skus=("MUG", "MUG-XL")))
    catalog.publish_product(draft=draft(skus=("MUG-XL",)))
    assert [one.sku for one in catalog.product(slug="mug", currency="EUR").variants] == ["MUG-XL"]
    assert list(catalog.labels(skus=[Sku("MUG"), Sku("MUG-XL")])) == ["MUG-XL"]
    catalog.publish_product(draft=draft(skus=("MUG", "MUG-XL")))
    shown = catalog.product(slug="mug", currency="EUR").variants
    assert [one.sku for one in shown] == ["MUG", "MUG-XL"]


def test_a_sku_belongs_to_one_product_for_ever() -> None:
    catalog.publish_product(draft=draft(skus=("MUG", "MUG-XL")))
    catalog.publish_product(draft=draft(skus=("MUG-XL",)))
    with pytest.raises(SkuTaken, match="MUG is a variant of mug"):
        catalog.publish_product(draft=draft("cup", title="Cup", skus=("MUG",)))
    with pytest.raises(ProductNotFound):
        catalog.product(slug="cup", currency="EUR")


@pytest.mark.topologies("local", "loopback")
def test_labels_name_what_is_known() -> None:
    shelve("MUG")
    assert catalog.labels(skus=[Sku("MUG"), Sku("NONE")]) == {
        "MUG": VariantLabel(
            sku=Sku("MUG"), slug="mug", title="Mug", name="plain", image="products/mug.svg"
        )
    }
    with statements() as seen:
        assert catalog.labels(skus=[]) == {}
    assert seen == []


def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    titles = [f"Title {number:02}" for number in range(7)] + ["Title 03"] * 3
    for number, title in enumerate(titles):
        catalog.publish_product(draft=draft(f"p{number}", title=title, skus=(f"SKU-{number}",)))
    seen: list[tuple[str, str]] = []
    after = None
    for _ in range(10):
        page = catalog.products(currency="EUR", limit=3, after=after)
        seen += [(product.title, product.slug) for product in page.products]
        after = page.next
        if after is None:
            break
    assert len(seen) == len(titles)
    assert seen == sorted(set(seen))


def test_a_new_product_does_not_shift_the_next_page() -> None:
    for letter in "bcde":
        catalog.publish_product(draft=draft(letter, title=letter, skus=(letter,)))
    first = catalog.products(currency="EUR", limit=2)
    catalog.publish_product(draft=draft("a", title="a", skus=("a",)))
    second = catalog.products(currency="EUR", limit=2, after=first.next)
    assert [product.slug for product in second.products] == ["d", "e"]
    assert second.next is None


@pytest.mark.together
@pytest.mark.topologies("local", "loopback")
def test_a_page_takes_three_statements_however_long() -> None:
    for number in range(12):
        shelve(f"SKU-{number}", quantity=0)
    with statements() as seen:
        page = catalog.products(currency="EUR", limit=12)
    assert len(page.products) == 12
    assert len(seen) == 3


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "%%%",
        "é",
        base64.urlsafe_b64encode(b"[1, 2]").decode(),
        base64.urlsafe_b64encode(json.dumps(["a\0b", "c"]).encode()).decode(),
    ],
)
def test_a_made_up_cursor_is_refused(after: str) -> None:
    with pytest.raises(InvalidCursor):
        catalog.products(currency="EUR", after=after)


def test_the_size_of_a_page_is_bounded() -> None:
    shelve("MUG")
    assert len(catalog.products(currency="EUR", limit=0).products) == 1
    assert len(catalog.products(currency="EUR", limit=10**9).products) == 1

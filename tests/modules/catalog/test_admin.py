"""Products in the back office: published through the interface, logged, by those who may."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client

from modules.catalog import models
from modules.catalog.interface import Catalog, Category, ProductNotFound
from monolift import use

pytestmark = pytest.mark.django_db(databases="__all__")
catalog = use(Catalog)
MUG = {
    "slug": "mug",
    "title": "Mug",
    "description": "A mug.\n\nIt lasts.",
    "category": "cups",
    "tags": "clay, kitchen",
    "images": "products/mug.svg | A mug\nproducts/mug-top.svg",
    "options": "Colour: sand, moss\nSize: small",
    "variants": "MUG-S | sand, small | sand, small\nMUG-M | moss, small | moss, small",
}


def staff(*permissions: str) -> Client:
    user = get_user_model().objects.create_user(
        email=f"{uuid4()}@example.org", password="long enough 4 that", is_staff=True
    )
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="catalog", codename__in=permissions)
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def clerk() -> Client:
    """Somebody who looks after the catalogue, which has a shelf."""
    catalog.set_categories(
        categories=[
            Category(slug="kitchen", title="Kitchen"),
            Category(slug="cups", title="Cups", parent="kitchen"),
        ]
    )
    rights = ("view", "add", "change")
    return staff(*(f"{right}_{name}" for right in rights for name in ("product", "category")))


def text(response: HttpResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def send(client: Client, path: str, form: dict[str, Any]) -> Any:
    """Open the form, and send it as it would be sent."""
    url = f"/admin/catalog/{path}"
    seen = re.search(r'name="seen" value="([^"]*)"', client.get(url).content.decode())
    return client.post(url, {**form, "seen": seen[1] if seen else ""})


def change_of(slug: str) -> str:
    return f"product/{models.Product.objects.get(slug=slug).pk}/change/"


def test_a_product_is_published(clerk: Client) -> None:
    assert send(clerk, "product/add/", MUG).status_code == 302
    product = catalog.product(slug="mug", currency="EUR")
    assert (product.title, product.category) == ("Mug", "cups")
    assert product.tags == ("clay", "kitchen")
    assert [(one.path, one.alt) for one in product.images] == [
        ("products/mug.svg", "A mug"),
        ("products/mug-top.svg", ""),
    ]
    assert [(one.name, one.values) for one in product.options] == [
        ("Colour", ("sand", "moss")),
        ("Size", ("small",)),
    ]
    assert [(one.sku, one.options) for one in product.variants] == [
        ("MUG-S", ("sand", "small")),
        ("MUG-M", ("moss", "small")),
    ]
    assert LogEntry.objects.get().get_change_message() == "Added"


def test_what_the_form_shows_can_be_sent_again(clerk: Client) -> None:
    send(clerk, "product/add/", MUG)
    page = clerk.get(f"/admin/catalog/{change_of('mug')}").content.decode()
    assert "products/mug.svg | A mug" in page
    assert "Colour: sand, moss" in page
    assert "MUG-M | moss, small | moss, small" in page
    before = catalog.product(slug="mug", currency="EUR")
    assert send(clerk, change_of("mug"), MUG).status_code == 302
    assert catalog.product(slug="mug", currency="EUR") == before
    assert LogEntry.objects.count() == 1, "nothing has changed, so there is nothing to log"


def test_a_change_is_logged_with_what_changed(clerk: Client) -> None:
    send(clerk, "product/add/", MUG)
    less = {**MUG, "title": "A mug", "variants": MUG["variants"].splitlines()[0]}
    assert send(clerk, change_of("mug"), less).status_code == 302
    said = LogEntry.objects.order_by("-id")[0].get_change_message()
    assert "title: Mug → A mug" in said
    assert "variants: " in said
    product = catalog.product(slug="mug", currency="EUR")
    assert [one.sku for one in product.variants] == ["MUG-S"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"slug": "a b"}, "valid “slug”"),
        ({"title": ""}, "required"),
        ({"title": "x" * 201}, "at most 200"),
        ({"title": "a\x00b"}, "Null characters"),
        ({"category": "nowhere"}, "not one of the available choices"),
        ({"images": "../../etc/passwd"}, "no path like"),
        ({"images": "https://evil.example/x.png"}, "no path like"),
        ({"images": "/etc/passwd"}, "no path like"),
        ({"images": "a.svg | b | c"}, "Line 1 has too many parts"),
        ({"images": ""}, "required"),
        ({"variants": ""}, "required"),
        ({"variants": "A | b | c | d | e"}, "Line 1 has too many parts"),
        ({"variants": "MUG S | x | sand, small"}, "MUG S is no SKU"),
        ({"variants": "MUG-S | x | sand"}, "cannot be published"),
        ({"variants": "MUG-S | x | blue, small"}, "cannot be published"),
        ({"variants": "\n".join(["MUG-S | x | sand, small"] * 2)}, "cannot be published"),
        ({"options": ": sand"}, "cannot be published"),
    ],
)
def test_a_wrong_product_is_refused_at_the_form(
    clerk: Client, changes: dict[str, str], told: str
) -> None:
    answer = send(clerk, "product/add/", {**MUG, **changes})
    assert answer.status_code == 422
    assert told in text(answer)
    assert not models.Product.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_sku_of_another_product_is_refused(clerk: Client) -> None:
    send(clerk, "product/add/", MUG)
    answer = send(clerk, "product/add/", {**MUG, "slug": "other"})
    assert answer.status_code == 422
    assert "is a variant of mug and stays one" in text(answer)


def test_products_are_found_and_withdrawn(clerk: Client) -> None:
    send(clerk, "product/add/", MUG)
    for query in ("MUG-M", "mug", "Mu"):
        assert "MUG-S, MUG-M" in text(clerk.get(f"/admin/catalog/product/?q={query}"))
    row = models.Product.objects.get()
    sent = {"action": "withdraw", "_selected_action": [str(row.pk)]}
    assert clerk.post("/admin/catalog/product/", sent).status_code == 302
    with pytest.raises(ProductNotFound):
        catalog.product(slug="mug", currency="EUR")
    assert "Withdrawn" in text(clerk.get(f"/admin/catalog/product/{row.pk}/history/"))


def test_the_list_costs_the_same_for_any_number(clerk: Client) -> None:
    from monolift.testing.statements import statements

    def cost() -> int:
        with statements() as seen:
            assert clerk.get("/admin/catalog/product/").status_code == 200
        return len(seen)

    send(clerk, "product/add/", MUG)
    cost()
    one = cost()
    for number in range(5):
        form = {**MUG, "slug": f"mug{number}", "options": "", "variants": f"MUG{number} | plain"}
        assert send(clerk, "product/add/", form).status_code == 302
    assert cost() == one


def test_who_may_only_look_changes_nothing(clerk: Client) -> None:
    send(clerk, "product/add/", MUG)
    looker = staff("view_product")
    path = f"/admin/catalog/{change_of('mug')}"
    assert looker.get(path).status_code == 200
    assert looker.post(path, {**MUG, "title": "Mine"}).status_code == 403
    row = models.Product.objects.get()
    sent = {"action": "withdraw", "_selected_action": [str(row.pk)]}
    looker.post("/admin/catalog/product/", sent)
    assert catalog.product(slug="mug", currency="EUR").title == "Mug"


def test_categories_are_set(clerk: Client) -> None:
    form = {"slug": "plates", "title": "Plates", "parent": "kitchen"}
    assert send(clerk, "category/add/", form).status_code == 302
    assert "plates" in [one.slug for one in catalog.categories()]
    wrong = {"slug": "deep", "title": "Deep", "parent": "plates"}
    assert send(clerk, "category/add/", wrong).status_code == 422

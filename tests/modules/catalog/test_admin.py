"""Products in the back office: published through the interface, logged, by those who may."""

import io
import re
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image as Picture
from pytest_django import Settings

from modules.catalog import models
from modules.catalog.interface import (
    Catalog,
    Category,
    Image,
    Option,
    ProductDraft,
    ProductNotFound,
    Sku,
    VariantDraft,
)
from monolift import use
from monolift.testing.statements import statements

pytestmark = pytest.mark.django_db(databases="__all__")
catalog = use(Catalog)
ADD = "/admin/catalog/product/add/"
LIST = "/admin/catalog/product/"
ONE = {
    "slug": "mug",
    "title": "Mug",
    "images-0-path": "products/mug.svg",
    "variants-0-sku": "MUG",
}
MUG = ProductDraft(
    slug="mug",
    title="Mug",
    description="A mug.\n\nIt lasts.",
    image="products/mug.svg",
    category="cups",
    tags=("clay", "kitchen"),
    images=(Image(path="products/mug.svg", alt="A mug"), Image(path="products/top.svg")),
    options=(
        Option(name="Colour", values=("sand", "moss")),
        Option(name="Size", values=("1,5 l",)),
    ),
    offers=(
        VariantDraft(sku=Sku("MUG-S"), name="sand", options=("sand", "1,5 l")),
        VariantDraft(
            sku=Sku("MUG-M"), name="moss", options=("moss", "1,5 l"), image="products/top.svg"
        ),
    ),
)


class Fields(HTMLParser):
    """What a browser would send of the page's form as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, Any] = {}
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        name = of.get("name") or ""
        if tag == "option" and "selected" in of:
            self.found[self._inside] = of.get("value") or ""
        if tag in ("select", "textarea"):
            self._inside = name
            self.found[name] = ""
        sent = tag == "input" and of.get("type") not in ("file", "checkbox", "submit")
        if sent and name and "__prefix__" not in name:
            self.found[name] = of.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self.lasttag == "textarea" and self._inside:
            self.found[self._inside] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._inside = ""


def opened(client: Client, path: str) -> dict[str, Any]:
    """Open the form."""
    fields = Fields()
    fields.feed(client.get(path).content.decode())
    return fields.found


def send(client: Client, path: str, changes: dict[str, Any]) -> Any:
    """Open the form, change it, and send it as a browser would."""
    return client.post(path, {**opened(client, path), **changes})


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


@pytest.fixture
def change(clerk: Client) -> str:
    """Where the mug is changed."""
    key = catalog.publish_product(draft=MUG)
    return f"/admin/catalog/product/{key}/change/"


def text(response: HttpResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def told() -> list[str]:
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("id")]


def skus() -> list[str]:
    return [one.sku for one in catalog.product(slug="mug", currency="EUR").variants]


# Products -----------------------------------------------------------------------------------------


def test_a_product_is_published(clerk: Client) -> None:
    form = {
        **ONE,
        "category": "cups",
        "tags": "clay, kitchen",
        "images-0-alt": "A mug",
        "images-0-ORDER": "2",
        "images-1-path": "products/top.svg",
        "images-1-ORDER": "1",
        "options-0-name": "Colour",
        "options-0-values": "sand | moss",
        "variants-TOTAL_FORMS": "3",
        "variants-0-values": "sand",
        "variants-0-image": "1",
        "variants-2-sku": "MUG-M",
        "variants-2-name": "moss",
        "variants-2-values": "moss",
    }
    assert send(clerk, ADD, form).status_code == 302
    product = catalog.product(slug="mug", currency="EUR")
    assert (product.title, product.category) == ("Mug", "cups")
    assert product.tags == ("clay", "kitchen")
    assert product.image == "products/top.svg"
    assert [(one.path, one.alt) for one in product.images] == [
        ("products/top.svg", ""),
        ("products/mug.svg", "A mug"),
    ]
    assert [(one.name, one.values) for one in product.options] == [("Colour", ("sand", "moss"))]
    assert [(one.sku, one.name, one.options, one.image) for one in product.variants] == [
        ("MUG", "", ("sand",), "products/mug.svg"),
        ("MUG-M", "moss", ("moss",), ""),
    ]
    assert told() == ["Added"]


def test_what_the_form_shows_can_be_sent_again(clerk: Client, change: str) -> None:
    before = catalog.product(slug="mug", currency="EUR")
    assert opened(clerk, change)["variants-1-image"] == "2"
    assert send(clerk, change, {}).status_code == 302
    assert catalog.product(slug="mug", currency="EUR") == before
    assert told() == [], "nothing has changed, so there is nothing to log"


def test_a_change_is_logged_with_what_changed(clerk: Client, change: str) -> None:
    less = {
        "title": "A mug",
        "description": "A mug.\n\nIt lasts long.",
        "tags": "clay, pottery",
        "variants-0-DELETE": "on",
    }
    assert send(clerk, change, less).status_code == 302
    (said,) = told()
    assert said.split("; ") == [
        "title: Mug → A mug",
        "description: A mug. /  / It lasts. → A mug. /  / It lasts long.",
        "tags: without kitchen, with pottery",
        "variants: without MUG-S (sand, sand, 1,5 l)",
    ]
    assert skus() == ["MUG-M"]
    assert "variants: without MUG-S" in text(clerk.get(change.replace("change", "history")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slug": "a b"}, "valid “slug”"),
        ({"title": ""}, "required"),
        ({"title": "x" * 201}, "at most 200"),
        ({"title": "a\x00b"}, "Null characters"),
        ({"description": "x" * 10_001}, "at most 10000"),
        ({"category": "nowhere"}, "not one of the available choices"),
        ({"tags": "x" * 101}, "cannot be published"),
        ({"images-0-path": "../../etc/passwd"}, "no path like"),
        ({"images-0-path": "https://evil.example/x.png"}, "no path like"),
        ({"images-0-path": "/etc/passwd"}, "no path like"),
        ({"images-0-path": ""}, "Choose a file"),
        ({"images-0-alt": "a\x00b"}, "Null characters"),
        ({"images-0-ORDER": "x"}, "whole number"),
        ({"images-TOTAL_FORMS": "99"}, "at most 50"),
        ({"images-TOTAL_FORMS": "x"}, "Look at the images again"),
        ({"variants-0-sku": ""}, "required"),
        ({"variants-0-sku": "MUG S"}, "MUG S is no SKU"),
        ({"variants-0-sku": "x" * 65}, "at most 64"),
        ({"variants-0-values": "sand"}, "cannot be published"),
        ({"variants-0-image": "7"}, "there is no picture 7"),
        ({"variants-0-image": "a b"}, "neither a number nor a path"),
        ({"variants-1-sku": "MUG"}, "one SKU is there twice"),
        ({"options-0-values": "sand"}, "required"),
        ({"options-0-name": "Colour", "options-0-values": "sand"}, "cannot be published"),
    ],
)
def test_a_wrong_product_is_refused_at_the_form(
    clerk: Client, changes: dict[str, str], said: str
) -> None:
    answer = send(clerk, ADD, {**ONE, **changes})
    assert answer.status_code == 422
    assert said in text(answer)
    assert not models.Product.objects.exists()
    assert told() == []


def test_a_sku_of_another_product_is_refused(clerk: Client, change: str) -> None:
    answer = send(clerk, ADD, {**ONE, "slug": "other", "variants-0-sku": "MUG-S"})
    assert answer.status_code == 422
    assert "is a variant of mug and stays one" in text(answer)


def test_adding_what_is_there_does_not_overwrite_it(clerk: Client, change: str) -> None:
    answer = send(clerk, ADD, {**ONE, "title": "Mine"})
    assert answer.status_code == 422
    assert "is there already" in text(answer)
    assert catalog.product(slug="mug", currency="EUR").title == "Mug"


def test_what_somebody_else_did_meanwhile_is_not_undone(clerk: Client, change: str) -> None:
    form = opened(clerk, change)
    catalog.withdraw_product(slug="mug")
    for _ in range(2):
        answer = clerk.post(change, {**form, "title": "Mine"})
        assert answer.status_code == 422
        assert "Somebody has changed this" in text(answer)
    with pytest.raises(ProductNotFound):
        catalog.product(slug="mug", currency="EUR")


def test_names_that_were_published_elsewhere_stay(clerk: Client, change: str) -> None:
    odd = ProductDraft(
        slug="odd",
        title="Odd",
        description="",
        image="products/ä b.svg",
        tags=("red, white",),
        variants=((Sku("A/B 1"), "one"),),
    )
    key = catalog.publish_product(draft=odd)
    path = f"/admin/catalog/product/{key}/change/"
    assert send(clerk, path, {"title": "Odder"}).status_code == 302
    product = catalog.product(slug="odd", currency="EUR")
    assert (product.title, product.image) == ("Odder", "products/ä b.svg")
    assert product.tags == ("red, white",)
    assert [one.sku for one in product.variants] == ["A/B 1"]


def test_products_are_found_withdrawn_and_put_back(clerk: Client, change: str) -> None:
    for query in ("q=MUG-M", "q=mug", "q=Mu", "category=cups", "category=kitchen", "state=on+sale"):
        assert "MUG-S, MUG-M" in text(clerk.get(f"{LIST}?{query}")), query
    for query in ("q=none", "category=none", "state=withdrawn"):
        assert "MUG-S, MUG-M" not in text(clerk.get(f"{LIST}?{query}")), query
    key = str(models.Product.objects.get().pk)
    sent = {"action": "withdraw", "_selected_action": [key]}
    for _ in range(2):
        assert clerk.post(LIST, sent).status_code == 302
    with pytest.raises(ProductNotFound):
        catalog.product(slug="mug", currency="EUR")
    assert "It is withdrawn" in text(clerk.get(change))
    assert send(clerk, change, {}).status_code == 302
    assert skus() == ["MUG-S", "MUG-M"]
    assert told() == ["state: on sale → withdrawn", "state: withdrawn → on sale"]


def test_the_list_costs_the_same_for_any_number(clerk: Client, change: str) -> None:
    def cost() -> int:
        with statements() as seen:
            assert clerk.get(LIST).status_code == 200
        return len(seen)

    cost()
    one = cost()
    for number in range(5):
        catalog.publish_product(
            draft=ProductDraft(
                slug=f"mug{number}",
                title="Mug",
                description="",
                image="a.svg",
                category="cups",
                variants=((Sku(f"M{number}"), ""),),
            )
        )
    assert cost() == one


def test_not_too_many_are_withdrawn_at_once(
    clerk: Client, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.catalog.admin.MOST_AT_ONCE", 0)
    key = str(models.Product.objects.get().pk)
    sent = {"action": "withdraw", "_selected_action": [key]}
    assert "Choose at most 0 at a time" in text(clerk.post(LIST, sent, follow=True))
    assert skus() == ["MUG-S", "MUG-M"]


def test_strange_addresses_are_no_fault(clerk: Client) -> None:
    for query in ("q=%00", "%00=1", "category=%00", "state=x", "p=x", "e=1", "q=%27%25"):
        for page in ("product", "category"):
            assert clerk.get(f"/admin/catalog/{page}/?{query}").status_code in (200, 302)


@pytest.mark.together
def test_a_form_with_too_many_fields_is_refused(clerk: Client) -> None:
    assert clerk.post(ADD, {f"x{number}": "" for number in range(1001)}).status_code == 400


@pytest.mark.together
def test_who_may_only_add_adds_and_changes_nothing(clerk: Client, change: str) -> None:
    adder = staff("add_product")
    assert send(adder, ADD, {**ONE, "slug": "cup"}).status_code == 302
    assert catalog.product(slug="cup", currency="EUR")
    assert send(adder, ADD, ONE).status_code == 422
    assert adder.get(change).status_code == 403
    assert adder.post(change, ONE).status_code == 403


@pytest.mark.together
def test_who_may_only_look_changes_nothing(clerk: Client, change: str) -> None:
    looker = staff("view_product")
    form = opened(clerk, change)
    assert '<fieldset class="module" aria-labelledby="variants-heading" disabled>' in (
        looker.get(change).content.decode()
    )
    assert looker.post(change, {**form, "title": "Mine"}).status_code == 403
    assert looker.get(ADD).status_code == 403
    assert looker.post(ADD, form).status_code == 403
    key = str(models.Product.objects.get().pk)
    looker.post(LIST, {"action": "withdraw", "_selected_action": [key]})
    assert catalog.product(slug="mug", currency="EUR").title == "Mug"


# Pictures -----------------------------------------------------------------------------------------


def picture(kind: str = "PNG", size: tuple[int, int] = (3, 2)) -> bytes:
    made = io.BytesIO()
    one = Picture.new("RGB", size, "teal")
    one.save(made, kind, **({"save_all": True, "append_images": [one]} if kind == "MPO" else {}))
    return made.getvalue()


def bomb(side: int) -> bytes:
    """A picture of a few hundred bytes that asks for gigabytes of memory."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


@pytest.fixture
def kept(settings: Settings, tmp_path: Path) -> Path:
    """Where pictures are kept."""
    settings.IMPORTED_IMAGES = tmp_path / "images"
    return tmp_path / "images"


@pytest.mark.parametrize(
    ("kind", "suffix"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("MPO", "jpg")]
)
def test_a_picture_is_uploaded(clerk: Client, kept: Path, kind: str, suffix: str) -> None:
    content = picture(kind)
    form = {
        **ONE,
        "images-0-path": "",
        "images-0-upload": SimpleUploadedFile("../../x.html", content),
        "variants-0-image": "1",
    }
    assert send(clerk, ADD, form).status_code == 302
    product = catalog.product(slug="mug", currency="EUR")
    (file,) = kept.iterdir()
    assert file.read_bytes() == content
    assert product.image == product.variants[0].image == f"imported/{file.name}"
    assert re.fullmatch(rf"[0-9a-f]{{32}}\.{suffix}", file.name)


def test_a_new_picture_takes_the_place_of_another(clerk: Client, change: str, kept: Path) -> None:
    new = {"images-0-upload": SimpleUploadedFile("new.png", picture())}
    assert send(clerk, change, new).status_code == 302
    product = catalog.product(slug="mug", currency="EUR")
    assert [one.path.partition("/")[0] for one in product.images] == ["imported", "products"]
    assert "images: without products/mug.svg (A mug), with imported/" in told()[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.png", b"", "is no PNG, JPEG or WebP picture"),
        ("a.png", b"not a picture", "is no PNG, JPEG or WebP picture"),
        ("a.png", b"<script>alert(1)</script>", "is no PNG, JPEG or WebP picture"),
        (
            "a.svg",
            b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
            "is no PNG, JPEG or WebP picture",
        ),
        ("a.gif", picture("GIF"), "is no PNG, JPEG or WebP picture"),
        ("a.png", picture(size=(300, 200))[:200], "is damaged"),
        ("a.png", bomb(60_000), "has too many pixels"),
        ("a.png", bomb(6_000), "at most 25,000,000 are possible"),
        ("a.png", picture() + bytes(10 * 1024 * 1024), "at most 10,485,760 are possible"),
    ],
    ids=range(9),
)
def test_what_is_no_picture_is_refused(
    clerk: Client, kept: Path, name: str, content: bytes, said: str
) -> None:
    form = {**ONE, "images-0-upload": SimpleUploadedFile(name, content)}
    answer = send(clerk, ADD, form)
    assert answer.status_code == 422
    assert said in text(answer)
    assert "Look at the images again" in text(answer), "the field says it, before anything is done"
    assert not models.Product.objects.exists()
    assert not kept.exists()


def test_a_picture_that_cannot_be_kept_is_said_at_the_form(clerk: Client, kept: Path) -> None:
    kept.write_text("a file where the folder should be")
    form = {**ONE, "images-0-upload": SimpleUploadedFile("a.png", picture())}
    answer = send(clerk, ADD, form)
    assert answer.status_code == 422
    assert "a.png cannot be kept" in text(answer)
    assert told() == []


# Categories ---------------------------------------------------------------------------------------


def test_categories_are_set(clerk: Client) -> None:
    add = "/admin/catalog/category/add/"
    form = {"slug": "plates", "title": "Plates", "parent": "kitchen"}
    assert send(clerk, add, form).status_code == 302
    assert "plates" in [one.slug for one in catalog.categories()]
    assert send(clerk, add, form).status_code == 422
    wrong = {"slug": "deep", "title": "Deep", "parent": "plates"}
    assert send(clerk, add, wrong).status_code == 422
    path = "/admin/catalog/category/plates/change/"
    assert send(clerk, path, {"title": "Dishes", "slug": "x"}).status_code == 302
    assert told()[-1] == "title: Plates → Dishes"
    below_itself = send(clerk, "/admin/catalog/category/kitchen/change/", {"parent": "kitchen"})
    assert below_itself.status_code == 422

"""What the pages are made of: small, readable, usable without scripts and by everybody."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template import Context, Template

from modules.catalog.interface import Catalog, Category
from modules.pricing.interface import Pricing, Promotion
from monolift import Money, use
from monolift.kernel import clock
from tests.modules.storefront.goods import sell
from tests.modules.storefront.shopper import Shopper
from tests.shop import shelve

pytestmark = pytest.mark.django_db(databases="__all__")

STATIC = Path(__file__).parents[3] / "modules" / "storefront" / "static" / "storefront"
_VOID = {"br", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """A page's elements, checked to be closed in order."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element without content, as SVG writes it."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self.open.pop() == tag, tag

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of the elements of these names."""
        return [attributes for tag, attributes in self.elements if tag in tags]


def pages(shopper: Shopper) -> dict[str, Page]:
    """Every kind of page."""
    shelve("MUG")
    responses = {"empty basket": shopper.get("/basket")}
    shopper.add()
    responses |= {
        "home": shopper.get("/"),
        "list": shopper.get("/products"),
        "found": shopper.get("/search?q=mug"),
        "not found": shopper.get("/search?q=xyzzy"),
        "nothing searched": shopper.get("/search"),
        "product": shopper.get("/products/mug"),
        "refused product": shopper.add("MUG", "abc"),
        "basket": shopper.get("/basket"),
        "refused basket": shopper.post("/basket/change", sku="MUG", quantity="abc"),
        "checkout": shopper.get("/checkout"),
        "refused checkout": shopper.pay(name="", delivery="", cvc=""),
        "order": shopper.get(shopper.pay()["Location"]),
        "error": shopper.get("/products/none"),
        "missing": shopper.get("/none"),
    }
    return {name: Page(response.content.decode()) for name, response in responses.items()}


def test_every_page_is_sound(shopper: Shopper) -> None:
    for name, page in pages(shopper).items():
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), (name, sorted(str(one) for one in ids))
        assert [len(page.all(tag)) for tag in ("h1", "main", "header", "footer")] == [1] * 4, name
        assert page.all("html")[0]["lang"] == "en"
        assert {"href": "#main", "class": "skip"} in page.all("a"), name
        labels = {attributes.get("for") for attributes in page.all("label")}
        for field in page.all("input", "select"):
            if field.get("type") == "hidden":
                continue
            assert field.get("id") in labels or field.get("type") == "radio", (name, field)
        for _, attributes in page.elements:
            for reference in (attributes.get("aria-describedby") or "").split():
                assert reference in ids, (name, reference)
            reference = attributes.get("aria-labelledby")
            assert reference is None or reference in ids, (name, reference)
        for image in page.all("img"):
            assert {"alt", "width", "height"} <= image.keys(), (name, image)


def test_a_strict_content_security_policy_is_enough(shopper: Shopper) -> None:
    for name, page in pages(shopper).items():
        assert page.all("style") == [], name
        for tag, attributes in page.elements:
            assert "style" not in attributes, (name, tag)
            assert not [one for one in attributes if one.startswith("on")], (name, tag)
            assert not any(one.startswith("hx-on") for one in attributes), (name, tag)
            assert not (attributes.get("hx-vals") or "").startswith(("js:", "javascript:"))
            assert tag != "script" or attributes.get("src"), name
            for link in ("src", "href", "action"):
                assert not (attributes.get(link) or "").startswith(("http", "//")), (name, tag)


def test_every_post_carries_a_csrf_token(shopper: Shopper) -> None:
    for name, page in pages(shopper).items():
        forms = [form for form in page.all("form") if form.get("method") == "post"]
        tokens = [one for one in page.all("input") if one.get("name") == "csrfmiddlewaretoken"]
        assert len(forms) == len(tokens), name


def test_the_home_page_is_light(shopper: Shopper) -> None:
    now = clock.now()
    window = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1)}
    numbers = [f"{number:02}" for number in range(40)]
    categories = [Category(slug=f"c{one}", title=f"Category {one}") for one in numbers]
    use(Catalog).set_categories(categories=categories)
    for one in numbers:
        sell(f"Product {one}", quantity=1, category=f"c{one}")
    promotions = [Promotion(sku=f"PRODUCT-{one}", percent=10, **window) for one in numbers[:10]]
    use(Pricing).set_promotions(promotions=promotions)
    response = shopper.get("/")
    page = Page(response.content.decode())
    loaded = {one["href"] for one in page.all("link") if one.get("rel") == "stylesheet"}
    loaded |= {one["src"] for one in page.all("script")}
    assert len(loaded) == 4
    sizes = [len(b"".join(shopper.get(str(path)))) for path in loaded]
    assert len(page.all("img")) > 15, "a page that shows something"
    assert len(response.content) + sum(sizes) < 100_000


def _colours(css: str) -> dict[str, tuple[float, float, float]]:
    found = re.findall(r"--([a-z-]+): #([0-9a-f]{6});", css)
    return {
        name: (int(value[0:2], 16) / 255, int(value[2:4], 16) / 255, int(value[4:6], 16) / 255)
        for name, value in found
    }


def _contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """WCAG 2.2, contrast ratio."""

    def luminance(colour: tuple[float, float, float]) -> float:
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_apart(scheme: str) -> None:
    css = (STATIC / "frame.css").read_text(encoding="utf-8")
    light, _, rest = css.partition("@media (prefers-color-scheme: dark)")
    colours = _colours(light)
    if scheme == "dark":
        dark = _colours(rest)
        assert dark.keys() == colours.keys()
        colours = dark
    for text in ("ink", "soft", "accent", "accent-strong", "good", "bad"):
        for sheet in ("page", "sheet", "note-sheet"):
            assert _contrast(colours[text], colours[sheet]) >= 4.5, (text, sheet)
    pairs = [("accent-ink", "accent"), ("accent-ink", "accent-strong"), ("good", "good-sheet")]
    pairs += [("bad", "bad-sheet"), ("ink", "bad-sheet")]
    for text, sheet in pairs:
        assert _contrast(colours[text], colours[sheet]) >= 4.5, (text, sheet)
    for sheet in ("page", "sheet"):
        assert _contrast(colours["edge"], colours[sheet]) >= 3, sheet


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Money.of("1234.5", "EUR"), "€1,234.50"),
        (Money.of("0.07", "USD"), "$0.07"),
        (Money.of("2310", "JPY"), "¥2,310"),
        (Money.of("4.7", "KWD"), "KWD\u00a04.700"),
        (Money.of("-2", "EUR"), "\u2212€2.00"),
        (None, ""),
    ],
    ids=str,
)
def test_money_is_written_for_people(amount: Money | None, shown: str) -> None:
    template = Template("{% load storefront %}{{ amount|money }}")
    assert template.render(Context({"amount": amount})) == shown

"""The product of a number, and its variants, prices and stock."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from config.seeding import words
from modules.catalog.interface import Category, Option, ProductDraft, Sku, VariantDraft
from modules.inventory.interface import Line
from modules.inventory.interface import Sku as StockedSku
from modules.pricing.interface import ListPrice
from monolift import Money

# Minor units of each currency for a cent of the price in euros.
RATES = {"EUR": (1, 1), "USD": (11, 10), "JPY": (8, 5), "KWD": (33, 10)}
_PICTURE = "products/no-picture.svg"
_MOST_IN_STOCK = 500


class Article(NamedTuple):
    """A variant of a product; `cents` is its price in euro cents."""

    sku: str
    name: str
    options: tuple[str, ...]
    cents: int


class Good(NamedTuple):
    """A product."""

    slug: str
    title: str
    category: str
    material: str
    options: tuple[tuple[str, tuple[str, ...]], ...]
    articles: tuple[Article, ...]

    def draft(self) -> ProductDraft:
        """What catalog publishes."""
        praise = Random(self.slug)  # noqa: S311 - nothing secret
        return ProductDraft(
            slug=self.slug,
            title=self.title,
            description="\n\n".join(
                (f"{self.title}, of {self.material.lower()}.", *praise.sample(words.PRAISE, 2))
            ),
            image=_PICTURE,
            category=self.category,
            options=tuple(Option(name=name, values=values) for name, values in self.options),
            tags=(self.material.lower(),),
            offers=tuple(
                VariantDraft(sku=Sku(one.sku), name=one.name, options=one.options)
                for one in self.articles
            ),
        )

    def prices(self) -> Iterator[ListPrice]:
        """What its variants cost."""
        for one in self.articles:
            for currency in RATES:
                yield ListPrice(sku=one.sku, unit=Money(unit(one.cents, currency), currency))

    def stock(self) -> Iterator[Line]:
        """How many of its variants there are."""
        counts = Random(f"stock of {self.slug}")  # noqa: S311 - nothing secret
        for one in self.articles:
            quantity = counts.randint(1, _MOST_IN_STOCK)
            yield Line(sku=StockedSku(one.sku), quantity=quantity)


def unit(cents: int, currency: str) -> int:
    """The price in minor units of a currency."""
    times, by = RATES[currency]
    return max(1, cents * times // by)


def slug_of(category: str) -> str:
    """The slug of a category of that title."""
    return category.lower().replace(" ", "-")


def categories() -> Sequence[Category]:
    """The categories of all products."""
    found = []
    for main, below in words.SHELVES.items():
        found.append(Category(slug=slug_of(main), title=main))
        found += [
            Category(slug=slug_of(title), title=title, parent=slug_of(main)) for title in below
        ]
    return found


_PLACES = [
    (slug_of(category), noun)
    for below in words.SHELVES.values()
    for category, nouns in below.items()
    for noun in nouns
]


def good(*, seed: int, number: int) -> Good:
    """The product of that number."""
    chance = Random(seed << 32 | number)  # noqa: S311 - nothing secret
    pick = chance.random
    category, noun = _PLACES[int(pick() * len(_PLACES))]
    material = words.MATERIALS[int(pick() * len(words.MATERIALS))]
    quality = words.QUALITIES[int(pick() * len(words.QUALITIES))]
    title = f"{quality} {material.lower()} {noun.lower()} {number}"
    cents = 100 * int(5 + 200 * pick() ** 2) - 5
    colours = _some(words.COLOURS, int(pick() * 4), start=int(pick() * len(words.COLOURS)))
    sizes = words.SIZES if pick() < 0.2 else ()
    options = []
    if colours:
        options.append(("Colour", colours))
    if sizes:
        options.append(("Size", sizes))
    prefix = f"S{seed}-{number}"
    articles = []
    for colour in colours or ("",):
        for place, size in enumerate(sizes or ("",)):
            chosen = tuple(value for value in (colour, size) if value)
            articles.append(
                Article(
                    sku="-".join((prefix, *(value.upper() for value in chosen))),
                    name=" / ".join(chosen) or "standard",
                    options=chosen,
                    cents=cents + cents * place // 4,
                )
            )
    slug = f"{quality}-{material}-{noun}-s{seed}-{number}".lower().replace(" ", "-")
    return Good(slug, title, category, material, tuple(options), tuple(articles))


def _some(values: tuple[str, ...], count: int, *, start: int) -> tuple[str, ...]:
    return tuple(values[(start + step) % len(values)] for step in range(count))

"""What of a product is indexed."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import ClassVar

import msgspec

from modules.search.models import Document
from modules.search.provider import analysis, filters
from modules.search.requires import Product


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The words of a product, and what it can be narrowed by."""

    COLUMNS: ClassVar = (
        "title",
        "title_key",
        "title_words",
        "keyword_words",
        "description_words",
        "category",
        "choices",
        "filter_words",
        "shown",
        "digest",
    )

    slug: str
    title: str = ""
    title_key: str = ""
    title_words: str = ""
    keyword_words: str = ""
    description_words: str = ""
    category: str = ""
    options: tuple[tuple[str, str], ...] = ()
    shown: bool = False

    @property
    def choices(self) -> str:
        """The option values as the row keeps them."""
        return msgspec.json.encode(self.options).decode()

    @property
    def digest(self) -> str:
        """Equal for equal entries, so that an unchanged one is not written."""
        return blake2b(msgspec.json.encode(self), digest_size=16).hexdigest()

    @property
    def filter_words(self) -> str:
        """The words that narrowing asks for."""
        values = [filters.option(name, value) for name, value in self.options]
        return " ".join([*([filters.category(self.category)] if self.category else ()), *values])

    def document(self, *, revision: int) -> Document:
        """The row."""
        columns = {column: getattr(self, column) for column in self.COLUMNS}
        return Document(slug=self.slug, revision=revision, **columns)

    def words(self) -> set[str]:
        """Every word of it."""
        every = f"{self.title_words} {self.keyword_words} {self.description_words}"
        return set(every.split())


def entry_of(product: Product, categories: Mapping[str, str]) -> Entry:
    """The entry of a product. Tags, options, the category's title and SKUs are its keywords."""
    options = tuple(
        sorted({(option.name, value) for option in product.options for value in option.values})
    )
    keywords = (
        *product.tags,
        categories.get(product.category, ""),
        *(value for _, value in options),
        *(variant.name for variant in product.variants),
        *(variant.sku for variant in product.variants),
    )
    return Entry(
        slug=product.slug,
        title=product.title,
        title_key=analysis.key(product.title),
        title_words=_words(product.title),
        keyword_words=_words(" ".join(keywords)),
        description_words=_words(product.description),
        category=product.category,
        options=options,
        shown=True,
    )


def nothing(slug: str) -> Entry:
    """What stays of a product that is not for sale any more."""
    return Entry(slug=slug)


def _words(text: str) -> str:
    return " ".join(analysis.index_words(text))

"""Products to find."""

from collections.abc import Mapping, Sequence

from modules.catalog.interface import Catalog, Category, Option, ProductDraft, Sku, VariantDraft
from modules.search.interface import Search, SearchPage
from monolift import use


def draft(
    title: str,
    *,
    slug: str = "",
    description: str = "Nothing to say.",
    tags: Sequence[str] = (),
    category: str = "",
    options: Mapping[str, Sequence[str]] | None = None,
) -> ProductDraft:
    """A product; its slug is made of the title's words."""
    slug = slug or "-".join(title.lower().split())
    choices = {name: tuple(values) for name, values in (options or {}).items()}
    first = tuple(values[0] for values in choices.values())
    return ProductDraft(
        slug=slug,
        title=title,
        description=description,
        image="products/x.svg",
        offers=(VariantDraft(sku=Sku(f"SKU-{slug[:50]}"), name="plain", options=first),),
        category=category,
        options=tuple(Option(name=name, values=values) for name, values in choices.items()),
        tags=tuple(tags),
    )


def publish(*drafts: ProductDraft) -> None:
    """Put products on sale."""
    use(Catalog).publish_products(drafts=drafts)


def shelves() -> None:
    """Set up the categories: kitchen with cups, and garden."""
    use(Catalog).set_categories(
        categories=[
            Category(slug="kitchen", title="Kitchen"),
            Category(slug="cups", title="Cups and mugs", parent="kitchen"),
            Category(slug="garden", title="Garden"),
        ]
    )


def found(text: str, **narrowed: object) -> list[str]:
    """The slugs that a search finds, in order."""
    return list(page(text, **narrowed).slugs)


def page(text: str, **narrowed: object) -> SearchPage:
    """What a search answers."""
    return use(Search).search(text=text, **narrowed)


def counts(answer: SearchPage) -> dict[str, dict[str, int]]:
    """The facets of an answer."""
    return {
        facet.name: {value.value: value.count for value in facet.values} for facet in answer.facets
    }

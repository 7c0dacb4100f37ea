"""Publishing products: a fixed number of statements, and one for each announcement."""

from collections import Counter
from collections.abc import Iterable, Sequence

from django.db.models import Case, F, IntegerField, Q, Value, When

from modules.catalog import models
from modules.catalog.events import ProductPublished
from modules.catalog.interface import (
    CategoryNotFound,
    ProductDraft,
    ProductId,
    Sku,
    SkuTaken,
)
from modules.catalog.services import drafts as drafting
from monolift import atomic, publish, uuid7


def publish_all(drafts: Sequence[ProductDraft], *, announce: bool = True) -> list[ProductId]:
    """Publish them in one commit; their ids, in order."""
    drafting.check_all(drafts)
    # In order of slug, so that two batches lock and insert in the same order.
    ordered = sorted(drafts, key=lambda draft: draft.slug)
    with atomic():
        sections = _sections(ordered)
        products, changed, moves = _save_products(ordered, sections)
        changed |= _save_variants(ordered, products)
        count(moves)
        for draft in ordered:
            if announce and draft.slug in changed:
                publish(_announcement(products[draft.slug], draft))
    return [ProductId(products[draft.slug].id) for draft in drafts]


def _announcement(product: models.Product, draft: ProductDraft) -> ProductPublished:
    return ProductPublished(
        product_id=product.id,
        slug=product.slug,
        title=product.title,
        description=product.description,
        skus=tuple(str(offer.sku) for offer in drafting.offers(draft)),
        category=draft.category,
        tags=draft.tags,
        options=draft.options,
    )


def _sections(drafts: Sequence[ProductDraft]) -> dict[str, str]:
    """The main category above each category that the drafts name."""
    wanted = sorted({draft.category for draft in drafts if draft.category})
    left = models.Product.objects.filter(
        slug__in=[draft.slug for draft in drafts], category__isnull=False
    )
    every = sorted({*wanted, *left.order_by().values_list("category", flat=True)})
    if not every:
        return {}
    # Locked, because whoever moves a category below another also moves its products, and because
    # products are counted; those that products leave as well.
    rows = models.Category.objects.select_for_update().filter(slug__in=every).order_by("slug")
    found = {slug: parent or slug for slug, parent in rows.values_list("slug", "parent_id")}
    for slug in wanted:
        if slug not in found:
            raise CategoryNotFound(slug=slug)
    return found


def count(moves: Iterable[tuple[str | None, str | None]]) -> None:
    """Count products that are on sale in another category now: (left, entered), None for none."""
    changes: Counter[str] = Counter()
    for left, entered in moves:
        if left != entered:
            changes.update({left: -1} if left else {})
            changes.update({entered: 1} if entered else {})
    changed = {slug: change for slug, change in changes.items() if change}
    if changed:
        by = Case(
            *(When(slug=slug, then=Value(change)) for slug, change in changed.items()),
            output_field=IntegerField(),
        )
        models.Category.objects.filter(slug__in=list(changed)).update(on_sale=F("on_sale") + by)


type _Saved = tuple[dict[str, models.Product], set[str], Sequence[tuple[str | None, str | None]]]


def _save_products(drafts: Sequence[ProductDraft], sections: dict[str, str]) -> _Saved:
    """The rows by slug, locked and up to date; the slugs of those that were not; who moved."""
    wanted = {
        draft.slug: {
            **drafting.columns(draft),
            "section_id": sections.get(draft.category),
        }
        for draft in drafts
    }
    known = _locked(list(wanted))
    new = {
        slug: models.Product(id=uuid7(), slug=slug, **columns)
        for slug, columns in wanted.items()
        if slug not in known
    }
    changed = set()
    if new:
        # Somebody else may create the same product at this moment: then theirs is brought up to
        # date. The row that is there afterwards is locked either way.
        models.Product.objects.bulk_create(new.values(), ignore_conflicts=True)
        stored = _locked(list(new))
        made = {slug for slug, product in new.items() if stored[slug].id == product.id}
        changed |= made
        known |= stored
    before = {
        slug: None if slug in changed or product.withdrawn else product.category_id
        for slug, product in known.items()
    }
    outdated = []
    for slug, columns in wanted.items():
        product = known[slug]
        if any(getattr(product, name) != value for name, value in columns.items()):
            for name, value in columns.items():
                setattr(product, name, value)
            outdated.append(product)
    if outdated:
        models.Product.objects.bulk_create(
            outdated,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[name.removesuffix("_id") for name in wanted[outdated[0].slug]],
        )
    moves = [(before[slug], columns["category_id"]) for slug, columns in wanted.items()]
    return known, changed | {product.slug for product in outdated}, moves


def _locked(slugs: Sequence[str]) -> dict[str, models.Product]:
    rows = models.Product.objects.select_for_update().filter(slug__in=slugs).order_by("slug")
    return {row.slug: row for row in rows}


def _save_variants(drafts: Sequence[ProductDraft], products: dict[str, models.Product]) -> set[str]:
    """Make the variants those of the drafts; the slugs of the products where one changed."""
    wanted = {
        row.sku: row
        for draft in drafts
        for row in drafting.variant_rows(products[draft.slug], draft)
    }
    slugs = {product.id: slug for slug, product in products.items()}
    rows = models.Variant.objects.filter(
        Q(sku__in=list(wanted)) | Q(product__in=list(slugs), withdrawn=False)
    )
    known = {row.sku: row for row in rows}
    taken = sorted(sku for sku in wanted if sku in known and _moved(known[sku], wanted[sku]))
    if taken:
        owner = models.Product.objects.get(id=known[taken[0]].product_id)
        raise SkuTaken(sku=Sku(taken[0]), slug=owner.slug)
    outdated = [
        row for sku, row in wanted.items() if sku not in known or _state(known[sku]) != _state(row)
    ]
    gone = [row for sku, row in known.items() if sku not in wanted]
    for row in gone:
        row.withdrawn = True
    if outdated or gone:
        models.Variant.objects.bulk_create(
            [*outdated, *gone],
            update_conflicts=True,
            unique_fields=["sku"],
            update_fields=["name", "position", "options", "image", "withdrawn"],
        )
    return {slugs[row.product_id] for row in (*outdated, *gone)}


def _moved(known: models.Variant, wanted: models.Variant) -> bool:
    return known.product_id != wanted.product_id


def _state(row: models.Variant) -> tuple[str, int, list[str], str, bool]:
    return row.name, row.position, row.options, row.image, row.withdrawn

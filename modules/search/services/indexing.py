"""Keeping the index what catalog says: one product after an event, or all of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import batched

from django.db.models import Max
from django.db.models.functions import Coalesce

from modules.search.models import Category, Document, Shortening, Word
from modules.search.provider import Scope, Term, analysis, full_text, spelling
from modules.search.requires import Product, ProductNotFound, catalog
from modules.search.services.entries import Entry, entry_of, nothing
from monolift import atomic

CURRENCY = "EUR"
"""Catalog shows a product with prices of some currency; search does not look at them."""

PAGE = 100
_BATCH = 500


def refresh(*, slug: str) -> None:
    """Make the entry of a product what catalog says now; no entry when it has none."""
    product = _product(slug)
    known = Category.objects.filter(slug=product.category) if product else Category.objects.none()
    missing = product is not None and bool(product.category) and not known.exists()
    categories = _categories() if missing else []
    with atomic():
        if categories:
            _save_categories(categories)
        entry = entry_of(product, _titles([product.category])) if product else nothing(slug)
        _store([entry], beyond=None)


def reindex(*, report: Callable[[str, int], None]) -> int:
    """Index all products anew, a page at a time, and drop what catalog does not have.

    It may run while events are handled, and more than once. `report` is told what is being done
    and how many of it were. The number of products that there are.
    """
    categories = _categories()
    with atomic():
        _save_categories(categories)
    found = 0
    for products, seen in _pages():
        with atomic():
            titles = _titles([product.category for product in products])
            _store([entry_of(product, titles) for product in products], beyond=seen)
        found += len(products)
        report("products", len(products))
    _drop_withdrawn(report)
    _forget_words(report)
    return found


def index_given(products: Sequence[Product]) -> None:
    """Index products that the caller knows from catalog. What an event writes meanwhile stays."""
    seen = revision()
    wanted = {product.category for product in products if product.category}
    missing = len(_titles(wanted)) < len(wanted)
    categories = _categories() if missing else []
    with atomic():
        if categories:
            _save_categories(categories)
        titles = _titles(wanted)
        _store([entry_of(product, titles) for product in products], beyond=seen)


def revision() -> int:
    """The highest revision there is."""
    return int(Document.objects.aggregate(highest=Coalesce(Max("revision"), 0))["highest"])


def _product(slug: str) -> Product | None:
    try:
        return catalog.product(slug=slug, currency=CURRENCY)
    except ProductNotFound:
        return None


def _categories() -> list[Category]:
    return [
        Category(
            slug=one.slug,
            title=one.title,
            title_key=analysis.key(one.title),
            parent=one.parent or "",
        )
        for one in catalog.categories()
    ]


def _save_categories(categories: Sequence[Category]) -> None:
    Category.objects.bulk_create(
        sorted(categories, key=lambda one: one.slug),
        update_conflicts=True,
        unique_fields=["slug"],
        update_fields=["title", "title_key", "parent"],
        batch_size=_BATCH,
    )


def _titles(slugs: Iterable[str]) -> dict[str, str]:
    wanted = sorted({slug for slug in slugs if slug})
    return dict(Category.objects.filter(slug__in=wanted).values_list("slug", "title"))


def _pages() -> Iterator[tuple[tuple[Product, ...], int]]:
    """Catalog's products, each page with the highest revision there was before it was asked."""
    after = None
    while True:
        seen = revision()
        page = catalog.products(currency=CURRENCY, limit=PAGE, after=after)
        if page.products:
            yield page.products, seen
        if page.next is None:
            return
        after = page.next


def _store(entries: Sequence[Entry], *, beyond: int | None) -> None:
    """Write entries. `beyond` leaves out what an event wrote after that revision."""
    slugs = sorted(entry.slug for entry in entries)
    rows = _locked(slugs)
    if missing := [Document(slug=slug) for slug in slugs if slug not in rows]:
        # First an empty row, so that two writers of a new product meet at a lock.
        Document.objects.bulk_create(missing, ignore_conflicts=True)
        rows = _locked(slugs)
    current = [entry for entry in entries if beyond is None or rows[entry.slug].revision <= beyond]
    changed = [entry for entry in current if rows[entry.slug].digest != entry.digest]
    Document.objects.bulk_create(
        [entry.document(revision=rows[entry.slug].revision) for entry in changed],
        update_conflicts=True,
        unique_fields=["slug"],
        update_fields=Entry.COLUMNS,
    )
    if beyond is None:
        newest = Document.objects.aggregate(highest=Max("revision"))["highest"]
        Document.objects.filter(slug__in=slugs).update(revision=(newest or 0) + 1)
    _learn({word for entry in changed for word in entry.words()})


def _locked(slugs: Sequence[str]) -> dict[str, Document]:
    rows = Document.objects.filter(slug__in=slugs).order_by("slug").select_for_update()
    return {row.slug: row for row in rows.only("id", "slug", "digest", "revision")}


def _learn(words: set[str]) -> None:
    """Add words to the vocabulary."""
    wanted = sorted(word for word in words if spelling.correctable(word))
    known: set[str] = set()
    for some in batched(wanted, _BATCH):
        known.update(Word.objects.filter(word__in=some).values_list("word", flat=True))
    new = [word for word in wanted if word not in known]
    Word.objects.bulk_create(
        [Word(word=word) for word in new], ignore_conflicts=True, batch_size=_BATCH
    )
    Shortening.objects.bulk_create(
        [
            Shortening(text=text, word=word)
            for word in new
            for text in sorted(spelling.shortenings(word))
        ],
        ignore_conflicts=True,
        batch_size=_BATCH,
    )


def _drop_withdrawn(report: Callable[[str, int], None]) -> None:
    """Empty the entries whose product catalog does not have, should an event have been lost."""
    last = 0
    while True:
        seen = revision()
        rows = Document.objects.filter(pk__gt=last, shown=True).order_by("pk")
        some = list(rows.values_list("pk", "slug")[:PAGE])
        if not some:
            return
        last = some[-1][0]
        slugs = [slug for _, slug in some]
        there = catalog.cards(slugs=slugs, currency=CURRENCY)
        gone = [nothing(slug) for slug in slugs if slug not in there]
        if gone:
            with atomic():
                _store(gone, beyond=seen)
        report("entries", len(some))


def _forget_words(report: Callable[[str, int], None]) -> None:
    """Take words that no product has any more out of the vocabulary."""
    index = full_text(alias=Document.objects.db)
    last = ""
    while True:
        rows = Word.objects.filter(word__gt=last).order_by("word")
        some = list(rows.values_list("word", flat=True)[:PAGE])
        if not some:
            return
        last = some[-1]
        unused = [
            word
            for word in some
            if not Document.objects.filter(
                index.has(terms=[Term(word)], scope=Scope.ANYWHERE)
            ).exists()
        ]
        if unused:
            with atomic():
                texts = {text for word in unused for text in spelling.shortenings(word)}
                Shortening.objects.filter(text__in=sorted(texts), word__in=unused).delete()
                Word.objects.filter(word__in=unused).delete()
        report("words", len(some))

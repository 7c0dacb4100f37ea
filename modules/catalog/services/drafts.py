"""What a draft must be, before anything is written; and the columns it asks for."""

import re
from collections.abc import Sequence
from typing import Any

from modules.catalog import models
from modules.catalog.interface import (
    Image,
    InvalidDraft,
    ProductDraft,
    Sku,
    SkuTaken,
    TooManyDrafts,
    VariantDraft,
)

MOST_DRAFTS = 200
MOST_VARIANTS = 100
"""A page shows them all, and a batch of them must fit one statement."""

SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_TEXT = {"title": 200, "description": 10_000, "image": 200, "category": 100}
_MOST = {"options": 5, "images": 50, "tags": 50}


def offers(draft: ProductDraft) -> tuple[VariantDraft, ...]:
    """The variants of a draft, in whichever form it gives them."""
    if draft.offers:
        return draft.offers
    return tuple(VariantDraft(sku=sku, name=name) for sku, name in draft.variants)


def pictures(draft: ProductDraft) -> tuple[Image, ...]:
    """All pictures of a draft, its main one first."""
    rest = [one for one in draft.images if one.path != draft.image]
    if not draft.image or len(rest) != len(draft.images):
        first = [one for one in draft.images if one.path == draft.image]
        return (*first[:1], *rest)
    return (Image(path=draft.image), *rest)


def columns(draft: ProductDraft) -> dict[str, Any]:
    """The columns of the product's row that the draft decides, `section` excepted."""
    images = pictures(draft)
    return {
        "title": draft.title,
        "description": draft.description,
        "image": images[0].path if images else "",
        "images": [[one.path, one.alt] for one in images],
        "options": [[option.name, list(option.values)] for option in draft.options],
        "tags": list(draft.tags),
        "category_id": draft.category or None,
        "withdrawn": False,
    }


def variant_rows(product: models.Product, draft: ProductDraft) -> list[models.Variant]:
    """The rows of the draft's variants."""
    return [
        models.Variant(
            sku=offer.sku,
            product=product,
            name=offer.name,
            position=position,
            options=list(offer.options),
            image=offer.image,
        )
        for position, offer in enumerate(offers(draft))
    ]


def check_all(drafts: Sequence[ProductDraft]) -> None:
    """Refuse what cannot be published together."""
    if len(drafts) > MOST_DRAFTS:
        raise TooManyDrafts(count=len(drafts), most=MOST_DRAFTS)
    slugs: set[str] = set()
    skus: dict[str, str] = {}
    for draft in drafts:
        problem = _problem(draft) or _problem_of_offers(draft)
        if draft.slug in slugs:
            problem = "it is there twice. Publish it once."
        if problem:
            raise InvalidDraft(slug=draft.slug[:100], problem=problem)
        slugs.add(draft.slug)
        for offer in offers(draft):
            other = skus.setdefault(offer.sku, draft.slug)
            if other != draft.slug:
                raise SkuTaken(sku=Sku(offer.sku), slug=other)


def _problem(draft: ProductDraft) -> str:
    if not SLUG.fullmatch(draft.slug):
        return "its slug must be 1 to 100 letters, digits, hyphens or underscores (ASCII)."
    if not draft.title.strip():
        return "it has no title."
    for field, most in _TEXT.items():
        problem = unfit(getattr(draft, field), most=most)
        if problem:
            return f"its {field} {problem}."
    for field, most in _MOST.items():
        if len(getattr(draft, field)) > most:
            return f"it has {len(getattr(draft, field))} {field}; at most {most} are possible."
    texts = [("tag", 100, tag) for tag in draft.tags]
    for image in draft.images:
        texts += [("image", 200, image.path), ("image text", 500, image.alt)]
    for option in draft.options:
        texts += [("option", 100, text) for text in (option.name, *option.values)]
        if not option.name or len(option.values) > MOST_VARIANTS:
            return f"an option needs a name and at most {MOST_VARIANTS} values."
    if len({option.name for option in draft.options}) < len(draft.options):
        return "two of its options have the same name."
    return _first_unfit(texts)


def _problem_of_offers(draft: ProductDraft) -> str:
    if draft.offers and draft.variants:
        return "give its variants as `variants` or as `offers`, not as both."
    found = offers(draft)
    if len(found) > MOST_VARIANTS:
        return f"it has {len(found)} variants; at most {MOST_VARIANTS} are possible."
    if len({offer.sku for offer in found}) < len(found):
        return "one SKU is there twice."
    texts: list[tuple[str, int, str]] = []
    for offer in found:
        if not offer.sku.strip():
            return "a variant has no SKU."
        texts += [("SKU", 64, offer.sku), ("variant's name", 100, offer.name)]
        texts += [("variant's image", 200, offer.image)]
        if len(offer.options) != len(draft.options):
            return (
                f"{offer.sku[:64]} has {len(offer.options)} option values; "
                f"the product has {len(draft.options)} options."
            )
        for value, option in zip(offer.options, draft.options, strict=True):
            if value not in option.values:
                return f"{option.name} of {offer.sku[:64]} is none of the option's values."
    chosen = [offer.options for offer in found if offer.options]
    if len(set(chosen)) < len(chosen):
        return "two of its variants have the same option values."
    return _first_unfit(texts)


def _first_unfit(texts: Sequence[tuple[str, int, str]]) -> str:
    for what, most, text in texts:
        problem = unfit(text, most=most)
        if problem:
            return f"a {what} {problem}."
    return ""


def unfit(text: str, *, most: int) -> str:
    """Why a text cannot be stored; empty when it can."""
    if len(text) > most:
        return f"has {len(text):,} characters; at most {most:,} are possible"
    if "\0" in text:
        return "holds a NUL character"
    # Half of a surrogate pair: no text of its own, and no database takes it.
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "holds a character that is none"
    return ""

"""The tree of categories."""

from collections.abc import Sequence

from modules.catalog import models
from modules.catalog.interface import Category, InvalidCategory
from modules.catalog.services.drafts import SLUG, unfit
from monolift import atomic

MOST = 1000
"""Categories of one command; the tree of a shop has far fewer."""


def set_categories(categories: Sequence[Category]) -> None:
    """Add these or bring them up to date; see `Catalog.set_categories`."""
    _check_each(categories)
    wanted = {one.slug: one for one in categories}
    with atomic():
        rows = models.Category.objects.select_for_update().order_by("slug")
        known = {row.slug: row for row in rows}
        tree = {slug: row.parent_id for slug, row in known.items()}
        tree |= {slug: one.parent for slug, one in wanted.items()}
        _check_tree(wanted, tree)
        outdated = [
            one
            for one in wanted.values()
            if one.slug not in known
            or (known[one.slug].title, known[one.slug].parent_id) != (one.title, one.parent)
        ]
        # Main ones first: a row must not name a parent that is not there yet.
        outdated.sort(key=lambda one: (one.parent is not None, one.slug))
        models.Category.objects.bulk_create(
            [
                models.Category(slug=one.slug, title=one.title, parent_id=one.parent)
                for one in outdated
            ],
            update_conflicts=True,
            unique_fields=["slug"],
            update_fields=["title", "parent"],
        )
        for one in outdated:
            if one.slug in known and known[one.slug].parent_id != one.parent:
                section = one.parent or one.slug
                models.Product.objects.filter(category=one.slug).update(section=section)


def _check_each(categories: Sequence[Category]) -> None:
    if len(categories) > MOST:
        raise InvalidCategory(
            slug=categories[MOST].slug[:100], problem=f"set at most {MOST} at a time."
        )
    seen: set[str] = set()
    for one in categories:
        problem = ""
        if not SLUG.fullmatch(one.slug):
            problem = "its slug must be 1 to 100 letters, digits, hyphens or underscores (ASCII)."
        elif one.slug in seen:
            problem = "it is there twice."
        elif not one.title.strip():
            problem = "it has no title."
        elif unfit(one.title, most=100):
            problem = f"its title {unfit(one.title, most=100)}."
        if problem:
            raise InvalidCategory(slug=one.slug[:100], problem=problem)
        seen.add(one.slug)


def _check_tree(wanted: dict[str, Category], tree: dict[str, str | None]) -> None:
    for slug, one in wanted.items():
        if one.parent is not None and one.parent not in tree:
            raise InvalidCategory(slug=slug, problem=f"there is no category {one.parent[:100]}.")
        if one.parent is not None and tree[one.parent] is not None:
            raise InvalidCategory(
                slug=slug, problem=f"{one.parent} is a subcategory: there are two levels only."
            )
    for slug, parent in tree.items():
        if parent is not None and parent in wanted and tree[parent] is not None:
            raise InvalidCategory(
                slug=parent, problem=f"it has a subcategory, {slug}: there are two levels only."
            )

"""Products in Django's admin. It writes through the module's interface, and each act is logged."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from modules.catalog import models
from modules.catalog.interface import (
    Catalog,
    Category,
    Image,
    Option,
    ProductDraft,
    Sku,
    VariantDraft,
)
from monolift import DomainError, Unavailable, use
from monolift.gateway.backoffice import InterfaceAdmin
from monolift.kernel import CallFailed

catalog = use(Catalog)
MOST_AT_ONCE = 100
_SKU = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", re.ASCII)


class LinesField(forms.CharField):
    """A table as text: a row a line, with `separator` between its cells."""

    def __init__(self, *, cells: Sequence[str], separator: str = "|", **options: Any) -> None:
        self.cells, self.separator = cells, separator
        super().__init__(
            widget=forms.Textarea(attrs={"rows": 5, "cols": 80, "spellcheck": "false"}), **options
        )

    def clean(self, value: Any) -> list[list[str]]:
        """The rows, each with as many cells as are named, the last ones empty if left out."""
        text = super().clean(value)
        rows = []
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            cells = [cell.strip() for cell in line.split(self.separator)]
            if len(cells) > len(self.cells):
                shape = f" {self.separator} ".join(self.cells)
                raise ValidationError(f"Line {number} has too many parts: write {shape}.")
            rows.append(cells + [""] * (len(self.cells) - len(cells)))
        return rows


class ProductForm(forms.Form):
    """A product with all that is said of it."""

    slug = forms.SlugField(max_length=100, help_text="The last part of its address.")
    title = forms.CharField(max_length=200)
    description = forms.CharField(
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 80}),
        help_text="Plain text; an empty line between paragraphs.",
    )
    category = forms.ChoiceField(required=False)
    tags = forms.CharField(required=False, max_length=1000, help_text="With commas between them.")
    images = LinesField(
        cells=("path below the static files", "what it shows"),
        help_text="One a line: path | what it shows. The first is the product's own.",
    )
    options = LinesField(
        cells=("name", "values with commas between them"),
        separator=":",
        required=False,
        help_text="One a line, for example Colour: sand, moss, ink.",
    )
    variants = LinesField(
        cells=("SKU", "name", "values with commas between them", "path of its own image"),
        help_text=(
            "One a line: SKU | name | values | image. The values are in the order of the options. "
            "A variant that is left out is withdrawn."
        ),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        category = self.fields["category"]
        assert isinstance(category, forms.ChoiceField)  # noqa: S101 - declared so above
        category.choices = [("", "-"), *_categories()]

    def clean_images(self) -> list[list[str]]:
        """Paths that stay below the static files."""
        rows: list[list[str]] = self.cleaned_data["images"]
        for path, _ in rows:
            if not _PATH.fullmatch(path) or ".." in path:
                raise ValidationError(f"{path[:100]} is no path like products/mug.svg.")
        return rows

    def clean_variants(self) -> list[list[str]]:
        """SKUs that every part of the shop can name."""
        rows: list[list[str]] = self.cleaned_data["variants"]
        for sku, *_ in rows:
            if not _SKU.fullmatch(sku):
                raise ValidationError(
                    f"{sku[:100]} is no SKU: use letters, digits, points, dashes and underscores."
                )
        return rows


class CategoryForm(forms.Form):
    """A shelf."""

    slug = forms.SlugField(max_length=100)
    title = forms.CharField(max_length=100)
    parent = forms.ChoiceField(required=False, help_text="Empty for a main category.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        parent = self.fields["parent"]
        assert isinstance(parent, forms.ChoiceField)  # noqa: S101 - declared so above
        main = models.Category.objects.filter(parent=None).order_by("title")
        parent.choices = [("", "-"), *main.values_list("slug", "title")]


def _categories() -> list[tuple[str, str]]:
    rows = models.Category.objects.select_related("parent").order_by("parent__title", "title")
    named = [(f"{one.parent.title} / " if one.parent else "") + one.title for one in rows]
    return sorted(zip((one.slug for one in rows), named, strict=True), key=lambda pair: pair[1])


@admin.register(models.Category)
class CategoryAdmin(InterfaceAdmin):
    """Categories."""

    list_display = ("title", "slug", "parent")
    list_select_related = ("parent",)
    search_fields = ("title", "slug")
    ordering = ("parent__title", "title")
    write_form = CategoryForm

    def initial(self, row: models.Category) -> Mapping[str, Any]:
        """See `InterfaceAdmin.initial`."""
        return {"slug": row.slug, "title": row.title, "parent": row.parent_id or ""}

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """See `InterfaceAdmin.write`."""
        category = Category(slug=data["slug"], title=data["title"], parent=data["parent"] or None)
        catalog.set_categories(categories=[category])
        return category.slug


@admin.register(models.Product)
class ProductAdmin(InterfaceAdmin):
    """Products: found by title, slug or SKU, published and withdrawn from here."""

    list_display = ("picture", "title", "slug", "category", "articles", "withdrawn")
    list_display_links = ("picture", "title")
    list_filter = ("withdrawn", "section")
    list_select_related = ("category",)
    search_fields = ("title", "slug", "variants__sku")
    search_help_text = "A part of a title, a slug or a SKU."
    ordering = ("title", "slug")
    actions = ("withdraw",)
    write_form = ProductForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        on_sale = models.Variant.objects.filter(withdrawn=False).order_by("position")
        return super().get_queryset(request).prefetch_related(Prefetch("variants", on_sale))

    @admin.display(description="")
    def picture(self, product: models.Product) -> SafeString | str:
        """The product's own picture."""
        if not product.image:
            return "-"
        return format_html('<img src="{}" alt="" width="40" height="40">', static(product.image))

    @admin.display(description="SKUs")
    def articles(self, product: models.Product) -> str:
        """The SKUs for sale."""
        skus = [variant.sku for variant in product.variants.all()]
        more = f" and {len(skus) - 3} more" if len(skus) > 3 else ""
        return ", ".join(skus[:3]) + more

    @admin.action(description="Withdraw the selected products", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take them off the shelves, through the interface."""
        for product in queryset[:MOST_AT_ONCE]:
            try:
                catalog.withdraw_product(slug=product.slug)
            except (DomainError, Unavailable, CallFailed) as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_change(request, product, "Withdrawn")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def initial(self, row: models.Product) -> Mapping[str, Any]:
        """See `InterfaceAdmin.initial`."""
        variants = row.variants.filter(withdrawn=False).order_by("position")
        return {
            "slug": row.slug,
            "title": row.title,
            "description": row.description,
            "category": row.category_id or "",
            "tags": ", ".join(row.tags),
            "images": _text([path, alt] for path, alt in row.images),
            "options": "\n".join(f"{name}: {', '.join(values)}" for name, values in row.options),
            "variants": _text([v.sku, v.name, ", ".join(v.options), v.image] for v in variants),
        }

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """See `InterfaceAdmin.write`."""
        draft = ProductDraft(
            slug=data["slug"],
            title=data["title"],
            description=data["description"],
            image=data["images"][0][0],
            category=data["category"],
            tags=tuple(_parts(data["tags"])),
            images=tuple(Image(path=path, alt=alt) for path, alt in data["images"]),
            options=tuple(
                Option(name=name, values=tuple(_parts(values))) for name, values in data["options"]
            ),
            offers=tuple(
                VariantDraft(sku=Sku(sku), name=name, options=tuple(_parts(values)), image=image)
                for sku, name, values, image in data["variants"]
            ),
        )
        return catalog.publish_product(draft=draft)


def _text(rows: Any) -> str:
    return "\n".join(" | ".join(cells).rstrip(" |") for cells in rows)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]

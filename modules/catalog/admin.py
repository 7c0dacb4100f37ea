"""Products in Django's admin. It writes through the interface only, and each act is logged."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from modules.catalog import forms, models
from modules.catalog.interface import (
    Catalog,
    Category,
    Image,
    InvalidDraft,
    Option,
    ProductDraft,
    Sku,
    VariantDraft,
)
from modules.catalog.provider import pictures
from monolift import DomainError, Unavailable, use
from monolift.gateway.backoffice import InterfaceAdmin, difference
from monolift.kernel import CallFailed

catalog = use(Catalog)
MOST_AT_ONCE = 100
_ON_SALE, _WITHDRAWN = "on sale", "withdrawn"


class CategoryFilter(admin.SimpleListFilter):
    """A category; a main one with those below it."""

    title = "category"
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The choices beside all."""
        return forms.categories()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What is chosen."""
        slug = self.value()
        if not slug:
            return queryset
        chosen = models.Category.objects.filter(slug=slug).first()
        if chosen is None:
            return queryset.none()
        # Each has an index of its own, in the order of the list.
        return queryset.filter(**{"category" if chosen.parent_id else "section": chosen})


class StateFilter(admin.SimpleListFilter):
    """On sale, or not."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The choices beside all."""
        return [(name, name) for name in (_ON_SALE, _WITHDRAWN)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What is chosen."""
        match self.value():
            case "on sale":
                return queryset.filter(withdrawn=False)
            case "withdrawn":
                return queryset.filter(withdrawn=True)
            case _:
                return queryset


@admin.register(models.Product)
class ProductAdmin(InterfaceAdmin):
    """Products: found by title, slug or SKU, published and withdrawn from here."""

    list_display = ("picture", "title", "slug", "category", "articles", "state")
    list_display_links = ("picture", "title")
    list_filter = (StateFilter, CategoryFilter)
    list_select_related = ("category",)
    search_fields = ("title",)
    search_help_text = "A part of a title, a slug or a SKU."
    ordering = ("withdrawn", "title", "slug")  # there is an index in this order
    actions = ("withdraw",)
    change_form_template = "admin/catalog/product/change_form.html"
    write_form = forms.ProductForm
    key_fields = ("slug",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        every = models.Variant.objects.order_by("withdrawn", "position", "sku")
        return super().get_queryset(request).prefetch_related(Prefetch("variants", every))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        by_sku = models.Variant.objects.filter(sku__icontains=text).values("product")
        named = Q(title__icontains=text) | Q(slug__icontains=text) | Q(pk__in=by_sku)
        return queryset.filter(named), False

    @admin.display(description="")
    def picture(self, product: models.Product) -> SafeString | str:
        """The product's own picture."""
        if not product.image:
            return "-"
        return format_html('<img src="{}" alt="" width="40" height="40">', static(product.image))

    @admin.display(description="SKUs")
    def articles(self, product: models.Product) -> str:
        """The SKUs for sale; of a withdrawn product, those that were."""
        skus = [variant.sku for variant in _shown(product)]
        more = f" and {len(skus) - 3} more" if len(skus) > 3 else ""
        return ", ".join(skus[:3]) + more

    @admin.display(description="state", ordering="withdrawn")
    def state(self, product: models.Product) -> str:
        """Whether it is for sale."""
        return _state(product)

    @admin.action(description="Withdraw the selected products", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Take them off the shelves, through the interface."""
        done = 0
        for product in self.chosen(request, queryset.filter(withdrawn=False), most=MOST_AT_ONCE):
            try:
                catalog.withdraw_product(slug=product.slug)
            except (DomainError, Unavailable, CallFailed) as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                done += 1
                told = difference({"state": _ON_SALE}, {"state": _WITHDRAWN})
                self.log_change(request, product, told)
        self.message_user(request, f"{done} withdrawn.")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def initial(self, row: models.Product) -> Mapping[str, Any]:
        """See `InterfaceAdmin.initial`."""
        numbers = {path: str(number) for number, (path, _) in enumerate(row.images, start=1)}
        return {
            "slug": row.slug,
            "title": row.title,
            "description": row.description,
            "category": row.category_id or "",
            "tags": ", ".join(row.tags),
            "images": [{"path": path, "alt": alt} for path, alt in row.images],
            "options": [
                {"name": name, "values": forms.line(values)} for name, values in row.options
            ],
            "variants": [
                {
                    "sku": variant.sku,
                    "name": variant.name,
                    "values": forms.line(variant.options),
                    "image": numbers.get(variant.image, variant.image),
                }
                for variant in _shown(row)
            ],
            "state": _state(row),
        }

    def described(self, row: models.Product) -> Mapping[str, Any]:
        """See `InterfaceAdmin.described`."""
        return {
            "title": row.title,
            "description": row.description,
            "category": row.category_id or "",
            "tags": row.tags,
            "images": [f"{path} ({alt})" if alt else path for path, alt in row.images],
            "options": [f"{name}: {forms.line(values)}" for name, values in row.options],
            "variants": [
                f"{one.sku} ({', '.join(filter(None, (one.name, *one.options, one.image)))})"
                for one in _shown(row)
            ],
            "state": _state(row),
        }

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """See `InterfaceAdmin.write`.

        Pictures are kept first: one that the product is then refused with is shown nowhere, and
        kept once if it comes again.
        """
        for image in data["images"]:
            if image["upload"]:
                image["path"] = _kept(image["upload"], slug=data["slug"])
        images = {image["path"]: image["alt"] for image in data["images"]}
        draft = ProductDraft(
            slug=data["slug"],
            title=data["title"],
            description=data["description"],
            image=next(iter(images)),
            category=data["category"],
            tags=_tags(data["tags"], row),
            images=tuple(Image(path=path, alt=alt) for path, alt in images.items()),
            options=tuple(
                Option(name=one["name"], values=forms.parts(one["values"]))
                for one in data["options"]
            ),
            offers=tuple(
                VariantDraft(
                    sku=Sku(one["sku"]),
                    name=one["name"],
                    options=forms.parts(one["values"]),
                    image=one["shown_in"]["path"] if one["shown_in"] else one["image"],
                )
                for one in data["variants"]
            ),
        )
        return catalog.publish_product(draft=draft)


@admin.register(models.Category)
class CategoryAdmin(InterfaceAdmin):
    """Categories."""

    list_display = ("title", "slug", "parent")
    list_select_related = ("parent",)
    search_fields = ("title", "slug")
    ordering = ("parent__title", "title")
    write_form = forms.CategoryForm
    key_fields = ("slug",)

    def initial(self, row: models.Category) -> Mapping[str, Any]:
        """See `InterfaceAdmin.initial`."""
        return {"slug": row.slug, "title": row.title, "parent": row.parent_id or ""}

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """See `InterfaceAdmin.write`."""
        category = Category(slug=data["slug"], title=data["title"], parent=data["parent"] or None)
        catalog.set_categories(categories=[category])
        return category.slug


def _tags(text: str, row: models.Product | None) -> tuple[str, ...]:
    """What is typed; what was there if it is untouched, because a tag may hold a comma."""
    if row is not None and text == ", ".join(row.tags):
        return tuple(row.tags)
    return forms.parts(text, ",")


def _kept(upload: Any, *, slug: str) -> str:
    try:
        return pictures().keep(file=upload, name=str(upload.name)[:100])
    except ValueError as error:
        raise InvalidDraft(slug=slug, problem=f"{error}.") from None


def _shown(product: models.Product) -> list[models.Variant]:
    """The variants on sale; those that were, of a withdrawn product."""
    return [one for one in product.variants.all() if product.withdrawn or not one.withdrawn]


def _state(product: models.Product) -> str:
    return _WITHDRAWN if product.withdrawn else _ON_SALE

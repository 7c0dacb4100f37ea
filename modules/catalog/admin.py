"""Catalog in Django's admin: to look at. Products are published through the interface."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from modules.catalog import models


class VariantInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """The variants of a product."""

    model = models.Variant
    fields = ("sku", "name", "options", "withdrawn")
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows that only the interface writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.Category)
class CategoryAdmin(ReadOnlyAdmin):
    """Categories."""

    list_display = ("title", "slug", "parent")
    list_select_related = ("parent",)
    search_fields = ("title", "slug")


@admin.register(models.Product)
class ProductAdmin(ReadOnlyAdmin):
    """Products."""

    list_display = ("title", "slug", "category", "withdrawn")
    list_filter = ("withdrawn", "section")
    list_select_related = ("category",)
    search_fields = ("title", "slug")
    inlines = (VariantInline,)

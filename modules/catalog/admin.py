"""Catalog in Django's admin: to look at. Products are published through the interface."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from modules.catalog import models


class VariantInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """The variants of a product."""

    model = models.Variant
    fields = ("sku", "name", "withdrawn")
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Products."""

    list_display = ("title", "slug")
    search_fields = ("title", "slug")
    inlines = (VariantInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

"""Pricing in Django's admin."""

from django.contrib import admin

from modules.pricing import models


@admin.register(models.ListPrice)
class ListPriceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """List prices."""

    list_display = ("sku", "currency", "amount")
    list_filter = ("currency",)
    search_fields = ("sku",)


@admin.register(models.Promotion)
class PromotionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Promotions."""

    list_display = ("sku", "percent", "starts_at", "ends_at")
    search_fields = ("sku",)

"""Pricing in Django's admin."""

from django.contrib import admin

from modules.pricing import models


@admin.register(models.ListPrice)
class ListPriceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """List prices."""

    list_display = ("sku", "currency", "amount", "price_list")
    list_filter = ("currency", "price_list")
    show_full_result_count = False
    search_fields = ("sku",)


@admin.register(models.Promotion)
class PromotionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Promotions."""

    list_display = ("sku", "percent", "amount", "currency", "starts_at", "ends_at")
    search_fields = ("sku",)


@admin.register(models.PriceList)
class PriceListAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Price lists."""

    list_display = ("name", "priority", "starts_at", "ends_at")


@admin.register(models.Coupon)
class CouponAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Coupons."""

    list_display = ("code", "percent", "amount", "currency", "redeemed", "limit", "ends_at")
    search_fields = ("code",)
    readonly_fields = ("redeemed",)

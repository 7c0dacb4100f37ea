"""The back office of the shop."""

from django.contrib import admin

from .models import Shelf, Stock  # noqa: TID252 - as people write it

admin.site.register(Shelf)


@admin.register(Stock)
class StockAdmin(admin.ModelAdmin):
    """Stock by code."""

    list_display = ("code", "quantity")

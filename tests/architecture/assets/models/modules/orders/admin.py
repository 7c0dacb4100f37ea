from django.contrib import admin

from modules.orders.models import Line, Order


@admin.register(Line)
class LineAdmin(admin.ModelAdmin):
    list_display = ("quantity", "product")  # caught: lookup
    list_filter = (
        "quantity",
        ("product__maker", admin.RelatedFieldListFilter),  # caught: lookup
    )
    search_fields = ("^product__name",)  # caught: lookup
    ordering = ("-product__price",)  # caught: lookup
    raw_id_fields = ("product",)


class OrderAdmin(admin.ModelAdmin):
    list_display = ("number",)
    list_filter = ("lines__product__price",)  # caught: lookup
    search_fields = ("number", "lines__quantity")


admin.site.register(Order, OrderAdmin)

from django.contrib import admin

from modules.sales.models import Line


@admin.register(Line)
class LineAdmin(admin.ModelAdmin):
    list_display = ["id", "sale__buyer__username"]
    list_filter = ["article__shelf"]
    search_fields = ["=article__sku", "sale__buyer__username"]
    list_select_related = ["article", "sale"]

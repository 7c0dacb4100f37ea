"""Mails in Django's admin: to look at."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from modules.notifications import models


@admin.register(models.Mail)
class MailAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Mails."""

    list_display = ("at", "kind", "order_id", "sent_at", "problem")
    list_filter = ("kind",)
    search_fields = ("order_id__exact",)
    show_full_result_count = False
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

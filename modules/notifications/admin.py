"""Mails in Django's admin: to look at."""

from django.contrib import admin

from modules.notifications import models
from monolift.gateway.backoffice import ReadOnlyAdmin


@admin.register(models.Mail)
class MailAdmin(ReadOnlyAdmin):
    """Mails."""

    list_display = ("at", "kind", "order_id", "sent_at", "problem")
    list_filter = ("kind",)
    search_fields = ("order_id__exact",)
    ordering = ("-id",)

"""Profiles in Django's admin: to look at. Customers change their data themselves."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from modules.profiles import models
from monolift.gateway.backoffice import ReadOnlyAdmin


class _Addresses(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = models.Address
    fields = ("name", "street", "postcode", "city", "country", "default")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.Profile)
class ProfileAdmin(ReadOnlyAdmin):
    """Profiles."""

    list_display = ("user_id", "name", "phone", "newsletter")
    list_filter = ("newsletter",)
    search_fields = ("name", "phone")
    ordering = ("user_id",)
    inlines = (_Addresses,)

"""Users in Django's admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm

from config.identity.models import User


class CreationForm(AdminUserCreationForm):  # type: ignore[type-arg]  # not generic at run time
    """A new user."""

    class Meta:
        model = User
        fields = ("email",)
        field_classes: dict[str, Any] = {}


class ChangeForm(UserChangeForm):  # type: ignore[type-arg]  # not generic at run time
    """A user."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Users."""

    form = ChangeForm
    add_form = CreationForm
    list_display = ("email", "is_active", "is_staff", "joined_at")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email",)
    ordering = ("email",)
    readonly_fields = ("last_login", "joined_at")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Times", {"fields": ("last_login", "joined_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

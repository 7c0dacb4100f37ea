"""Users, their API tokens and their groups in Django's admin."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from config.identity import tokens
from config.identity.models import ApiToken, User
from monolift import DomainError, Unavailable
from monolift.gateway.backoffice import NulSafeAdmin, ReadOnlyAdmin
from monolift.gateway.identity import leaving
from monolift.kernel import CallFailed


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
class UserAdmin(NulSafeAdmin, DjangoUserAdmin):  # type: ignore[type-arg]  # not generic at run time
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
    actions = ("delete_selected",)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete a user, and all there is of them. The calls come before Django's transaction."""
        user = self.get_object(request, unquote(object_id))
        if request.POST and user is not None and not self._forgotten(request, [user]):
            return redirect(request.get_full_path())
        return super().delete_view(request, object_id, extra_context)

    @admin.action(
        permissions=["delete"],
        description=delete_selected.short_description,  # type: ignore[attr-defined]  # the decorator puts it there
    )
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[User]
    ) -> HttpResponse | None:
        """Delete users, and all there is of them."""
        if request.POST.get("post") and not self._forgotten(request, queryset):
            return None
        return delete_selected(self, request, queryset)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with users. Their tokens do, which nobody deletes by themselves."""
        shown, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return shown, counts, lacking - {ApiToken._meta.verbose_name}, protected

    def _forgotten(self, request: HttpRequest, users: Iterable[User]) -> bool:
        """Whether nothing is left of users who may be deleted; if something is, it is said why.

        Repeating it is harmless, so users are deleted last.
        """
        users = list(users)
        *_, lacking, protected = self.get_deleted_objects(users, request)
        if lacking or protected:
            return True  # Django refuses to delete them
        try:
            for user in users:
                leaving.send(sender=User, user_id=user.pk)
        except (DomainError, Unavailable, CallFailed):
            self.message_user(
                request, "What is kept of them could not be erased: try again.", messages.ERROR
            )
            return False
        return True


_SHOWN = (
    "name",
    "user",
    "may_write",
    "created_at",
    "expires_at",
    "last_used_at",
    "revoked_at",
)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """API tokens: whose they are and what they are good for, never what they are made of."""

    list_display = _SHOWN
    list_filter = ("may_write",)
    list_select_related = ("user",)
    search_fields = ("user__email", "name")
    ordering = ("-id",)
    fields = _SHOWN
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End the selected tokens at once."""
        for token in queryset:
            if token.revoked_at is None and tokens.revoke(user_id=token.user_id, token_id=token.pk):
                self.log_change(request, token, "Revoked")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may change tokens."""
        return request.user.has_perm("identity.change_apitoken")


admin.site.unregister(Group)  # Django's own page


@admin.register(Group)
class GroupAdmin(NulSafeAdmin, DjangoGroupAdmin):
    """Groups."""

"""Django's admin over a module: tables are read, and what is written goes through its interface.

The admin saves a form inside a transaction, where no call may happen. `InterfaceAdmin` shows a
plain form instead and hands what was typed to `write()`, outside any transaction. What the
interface refuses is shown at the form, what it did is logged with who did it and what changed.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property

from monolift.kernel import CallFailed, DomainError, Unavailable

MOST_COUNTED = 10_000
_LONGEST_VALUE = 60


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts to a limit: counting a million rows would take longer than showing some."""

    @cached_property
    def count(self) -> int:
        """How many there are, as far as it was counted."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the admin's queryset
        return rows.order_by()[:MOST_COUNTED].count()


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows to look at."""

    list_per_page = 50
    list_max_show_all = 0
    paginator = CappedPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        # PostgreSQL refuses such a text with an error: it is no key.
        if "\0" in object_id:
            return None
        return super().get_object(request, object_id, from_field)


class InterfaceAdmin(ReadOnlyAdmin):
    """Rows that are written through an interface.

    Set `write_form` and define `initial` and `write`. Django's permissions count: without the right
    to change, the page is there to look at.
    """

    write_form: type[forms.Form]
    change_form_template = "monolift/interface_form.html"

    def initial(self, row: Any) -> Mapping[str, Any]:
        """What the form shows of a row."""
        raise NotImplementedError

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """Do it through the interface; `row` is None for a new one. The key of what was written."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form, and what becomes of it."""
        row = None
        if object_id is not None:
            row = self.get_object(request, unquote(object_id))
            if row is None:
                messages.error(request, f"There is no {self.opts.verbose_name} {object_id[:100]}.")
                return redirect(self._url("changelist"))
            if not self.has_view_or_change_permission(request, row):
                raise PermissionDenied
        elif not self.has_add_permission(request):
            raise PermissionDenied
        may_write = row is None or self.has_change_permission(request, row)
        before = dict(self.initial(row)) if row is not None else {}
        if request.method == "POST":
            if not may_write:
                raise PermissionDenied
            form = self.write_form(request.POST, initial=before)
            done = self._written(request, form, row, before)
            if done is not None:
                return done
        else:
            form = self.write_form(initial=before)
        if not may_write:
            for field in form.fields.values():
                field.disabled = True
        context = {
            **self.admin_site.each_context(request),
            "title": str(row) if row is not None else f"Add {self.opts.verbose_name}",
            "opts": self.opts,
            "original": row,
            "form": form,
            "seen": _digest(before),
            "may_write": may_write,
            **(extra_context or {}),
        }
        status = 422 if form.errors else 200
        template = self.change_form_template
        return TemplateResponse(request, template, context, status=status)

    def _written(
        self, request: HttpRequest, form: forms.Form, row: Any, before: Mapping[str, Any]
    ) -> HttpResponse | None:
        """The way back after writing; None, with the reason in the form, when nothing was."""
        if row is not None and request.POST.get("seen") != _digest(before):
            form.add_error(
                None,
                "Somebody has changed this since you opened it. Nothing was saved: open it again.",
            )
            return None
        if not form.is_valid():
            return None
        try:
            key = self.write(request, form.cleaned_data, row)
        except DomainError as error:
            form.add_error(None, error.detail)
            return None
        except (Unavailable, CallFailed):
            form.add_error(None, "There was no answer in time. Look whether it is saved.")
            return None
        written = self.get_object(request, str(key))
        if written is not None and form.has_changed():
            after = self.initial(written)
            if row is None:
                self.log_addition(request, written, "Added")
            else:
                self.log_change(request, written, _difference(before, after))
        messages.success(request, f"{written or key} is saved.")
        if request.POST.get("next") == "list" or written is None:
            return redirect(self._url("changelist"))
        return redirect(self._url("change", quote(written.pk)))

    def _url(self, page: str, *arguments: str) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=arguments)


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:16]


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    changes = [
        f"{name}: {_short(before.get(name))} → {_short(value)}"
        for name, value in after.items()
        if before.get(name) != value
    ]
    return "; ".join(changes) or "Saved as it was"


def _short(value: Any) -> str:
    text = "-" if value in (None, "") else str(value).replace("\n", " / ")
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"

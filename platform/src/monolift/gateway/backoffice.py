"""Django's admin over a module: tables are read, and what is written goes through its interface.

The admin saves a form inside a transaction, where no call may happen. `InterfaceAdmin` shows a
plain form instead and hands what was typed to `write()`, outside any transaction. What the
interface refuses is shown at the form, what it did is logged with who did it and what changed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property

from monolift.kernel import CallFailed, DomainError, Unavailable
from monolift.registry.topology import topology

MOST_COUNTED = 10_000
_LONGEST_VALUE = 60


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Counts to a limit: counting a million rows would take longer than showing some."""

    @cached_property
    def count(self) -> int:
        """How many there are, as far as it was counted."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]  # the admin's queryset
        return rows.order_by()[:MOST_COUNTED].count()


class NulSafeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Nothing is found by a NUL, which PostgreSQL refuses with an error."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; without what was asked for, and with a message, if that holds a NUL."""
        sent = (*request.GET.lists(), *request.POST.lists())
        # What is searched for is a form's field, which says so by itself.
        texts = (text for name, values in sent if name != SEARCH_VAR for text in (name, *values))
        if any("\0" in text for text in texts):
            messages.error(request, "A NUL character is not allowed here.")
            return redirect(self._url("changelist"))
        return super().changelist_view(request, extra_context)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        # It is no key.
        if "\0" in object_id:
            return None
        return super().get_object(request, object_id, from_field)

    def _url(self, page: str, *arguments: str) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=arguments)


class ReadOnlyAdmin(NulSafeAdmin):
    """Rows to look at."""

    list_per_page = 50
    list_max_show_all = 0
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would be counted

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._tables_are_here and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._tables_are_here and super().has_view_permission(request, obj)

    @property
    def _tables_are_here(self) -> bool:
        """Not those of a module that runs in another deployable: its pages are off."""
        return topology().hosts(self.opts.app_label)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def chosen(self, request: HttpRequest, queryset: QuerySet[Any], *, most: int) -> Any:
        """The rows that an action is for; none, and a message, if they are more than `most`."""
        rows = list(queryset[: most + 1])
        if len(rows) > most:
            self.message_user(request, f"Choose at most {most} at a time.", messages.ERROR)
            return []
        return rows


class InterfaceAdmin(ReadOnlyAdmin):
    """Rows that are written through an interface.

    Set `write_form` and define `initial` and `write`. Django's permissions count: without the right
    to change, the page is there to look at. `key_fields` are what a row is known by: they are not
    changed, and a new row does not take the place of one that is there.
    """

    write_form: type[forms.Form]
    key_fields: Sequence[str] = ()
    change_form_template = "monolift/interface_form.html"

    def initial(self, row: Any) -> Mapping[str, Any]:
        """What the form shows of a row; who has seen something else cannot save."""
        raise NotImplementedError

    def described(self, row: Any) -> Mapping[str, Any]:
        """What the history tells of a row; a sequence is compared item by item."""
        return self.initial(row)

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """Do it through the interface; `row` is None for a new one. The key of what was written."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._tables_are_here and admin.ModelAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        may = admin.ModelAdmin.has_change_permission(self, request, obj)
        return self._tables_are_here and may

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
        seen = _digest(before)
        if request.method == "POST":
            if not may_write:
                raise PermissionDenied
            form = self._form(row, request.POST, request.FILES, initial=before)
            done = self._written(request, form, row, seen)
            if done is not None:
                return done
            seen = request.POST.get("seen", "")  # what they typed was about that
        else:
            form = self._form(row, initial=before)
        if not may_write:
            for field in form.fields.values():
                field.disabled = True
        context = {
            **self.admin_site.each_context(request),
            "title": str(row) if row is not None else f"Add {self.opts.verbose_name}",
            "opts": self.opts,
            "original": row,
            "form": form,
            "seen": seen,
            "may_write": may_write,
            **(extra_context or {}),
        }
        status = 422 if form.errors else 200
        template = self.change_form_template
        return TemplateResponse(request, template, context, status=status)

    def _form(self, row: Any, *args: Any, **options: Any) -> forms.Form:
        form = self.write_form(*args, **options)
        if row is not None:
            for name in self.key_fields:
                form.fields[name].disabled = True
        return form

    def _written(
        self, request: HttpRequest, form: forms.Form, row: Any, seen: str
    ) -> HttpResponse | None:
        """The way back after writing; None, with the reason in the form, when nothing was."""
        if row is not None and request.POST.get("seen") != seen:
            form.add_error(
                None,
                "Somebody has changed this since you opened it. Nothing was saved: open it again.",
            )
            return None
        if not form.is_valid():
            return None
        if row is None and self._is_there(form.cleaned_data):
            form.add_error(
                self.key_fields[0],
                f"This {self.opts.verbose_name} is there already: change it in the list.",
            )
            return None
        before = self.described(row) if row is not None else {}
        try:
            key = self.write(request, form.cleaned_data, row)
        except DomainError as error:
            form.add_error(None, error.detail)
            return None
        except (Unavailable, CallFailed):
            form.add_error(None, "There was no answer in time. Look whether it is saved.")
            return None
        written = self.get_object(request, str(key))
        if written is not None:
            after = self.described(written)
            if row is None:
                self.log_addition(request, written, "Added")
            elif after != before:
                self.log_change(request, written, difference(before, after))
        messages.success(request, f"{written or key} is saved.")
        if not self.has_view_or_change_permission(request):
            return redirect(f"{self.admin_site.name}:index")
        if request.POST.get("next") == "list" or written is None:
            return redirect(self._url("changelist"))
        return redirect(self._url("change", quote(written.pk)))

    def _is_there(self, data: Mapping[str, Any]) -> bool:
        key = {name: data[name] for name in self.key_fields}
        return bool(key) and self.model._default_manager.filter(**key).exists()


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:16]


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What changed from what to what, in words for the history."""
    changes = [
        f"{name}: {_change(before.get(name), value)}"
        for name, value in after.items()
        if before.get(name) != value
    ]
    return "; ".join(changes)


def _change(before: Any, after: Any) -> str:
    if isinstance(before, str) and isinstance(after, str):
        # Of long texts, from a little before the first character that differs.
        pairs = enumerate(zip(before, after, strict=False))
        differs = next((at for at, (old, new) in pairs if old != new), min(len(before), len(after)))
        start = differs - _LONGEST_VALUE // 3
        if start > 0 and max(len(before), len(after)) > _LONGEST_VALUE:
            before, after = f"…{before[start:]}", f"…{after[start:]}"
    if not isinstance(before, list | tuple) or not isinstance(after, list | tuple):
        return f"{_short(before)} → {_short(after)}"
    gone = [f"without {_short(item)}" for item in before if item not in after]
    new = [f"with {_short(item)}" for item in after if item not in before]
    return ", ".join([*gone, *new]) or "in another order"


def _short(value: Any) -> str:
    text = "-" if value in (None, "") else str(value).replace("\n", " / ")
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"

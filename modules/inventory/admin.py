"""Inventory in Django's admin. It writes through the interface only, and each act is logged."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from modules.inventory import models, queries
from modules.inventory.interface import AdjustmentReason, Inventory, Sku
from modules.inventory.services import HIGHEST_THRESHOLD, MOST
from monolift import DomainError, Unavailable, use
from monolift.gateway.backoffice import ReadOnlyAdmin
from monolift.kernel import CallFailed

inventory = use(Inventory)
TRAIL = 50
"""How many adjustments are shown beside a SKU; the list of adjustments has them all."""


class AdjustForm(forms.Form):
    """A correction of stock. `form` makes sending it twice harmless."""

    by = forms.IntegerField(min_value=-MOST, max_value=MOST)
    reason = forms.ChoiceField(choices=[(one.value, one.value) for one in AdjustmentReason])
    form = forms.UUIDField(widget=forms.HiddenInput)


class ThresholdForm(forms.Form):
    """When a SKU is low; empty for never."""

    threshold = forms.IntegerField(min_value=0, max_value=HIGHEST_THRESHOLD, required=False)


class StockFilter(admin.SimpleListFilter):
    """All stock, or a part of it."""

    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The choices beside all."""
        return [("available", "available"), ("held", "held"), ("low", "low")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What is chosen."""
        match self.value():
            case "available":
                return queryset.filter(available__gt=0)
            case "held":
                return queryset.filter(sku__in=sorted(queries.held()))
            case "low":
                return queryset.filter(available__lte=F("threshold"))
            case _:
                return queryset


@admin.register(models.Stock)
class StockAdmin(ReadOnlyAdmin):
    """Stock: found by SKU, adjusted from here, with what was adjusted before."""

    list_display = ("sku", "available", "held", "received", "threshold", "is_low")
    list_filter = (StockFilter,)
    search_fields = ("sku",)
    search_help_text = "A part of a SKU."
    ordering = ("sku",)
    fields = ("sku", ("available", "held", "received"), ("threshold", "is_low"), "trail")
    readonly_fields = ("held", "is_low", "trail")

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        held = _Held().held
        return [held if name == "held" else name for name in self.list_display]

    @admin.display(description="held")
    def held(self, stock: models.Stock) -> str:
        """How many are held for buyers who have not paid yet."""
        return _Held().held(stock)

    @admin.display(description="low")
    def is_low(self, stock: models.Stock) -> str:
        """Whether it is low; a red cross at what is not would say the opposite."""
        return "low" if stock.low else "-"

    @admin.display(description="adjustments")
    def trail(self, stock: models.Stock) -> SafeString | str:
        """What was adjusted, the newest first."""
        try:
            page = inventory.adjustments(sku=Sku(stock.sku), limit=TRAIL)
        except (Unavailable, CallFailed):
            return "Not known at the moment."
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    entry.at.strftime("%Y-%m-%d %H:%M:%S"),
                    f"{entry.by:+d}",
                    entry.available,
                    entry.reason.value,
                    entry.who,
                )
                for entry in page.adjustments
            ),
        )
        head = "".join(f"<th>{name}</th>" for name in ("time", "by", "available", "reason", "who"))
        return format_html(
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", SafeString(head), rows
        )

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/adjust/",
                act(require_POST(self.adjust)),
                name="inventory_stock_adjust",
            ),
            path(
                "<path:object_id>/threshold/",
                act(require_POST(self.set_threshold)),
                name="inventory_stock_threshold",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The stock of a SKU, with the forms of what can be done to it."""
        context = extra_context or {}
        stock = self.get_object(request, unquote(object_id))
        if stock is not None and _may_change(request):
            context["adjust_form"] = AdjustForm(initial={"form": uuid4()})
            context["threshold_form"] = ThresholdForm(initial={"threshold": stock.threshold})
        return super().change_view(request, object_id, form_url, context)

    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Adjust through the interface."""
        stock = self._stock(request, object_id)
        form = AdjustForm(request.POST)
        if stock is None or not form.is_valid():
            return self._back(request, stock, problem=_first_error(form))
        by, reason = form.cleaned_data["by"], AdjustmentReason(form.cleaned_data["reason"])
        reference = form.cleaned_data["form"]
        sent_before = models.Adjustment.objects.filter(reference=reference).exists()
        try:
            adjusted = inventory.adjust(
                sku=Sku(stock.sku),
                by=by,
                reason=reason,
                reference=reference,
                who=request.user.get_username(),
            )
        except (DomainError, Unavailable, CallFailed) as error:
            return self._back(request, stock, problem=_said(error))
        done = f"Adjusted by {by:+d} to {adjusted.available}: {reason.value}"
        return self._back(request, stock, done=done, log=not sent_before)

    def set_threshold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Set the threshold through the interface."""
        stock = self._stock(request, object_id)
        form = ThresholdForm(request.POST)
        if stock is None or not form.is_valid():
            return self._back(request, stock, problem=_first_error(form))
        threshold = form.cleaned_data["threshold"]
        try:
            inventory.set_threshold(sku=Sku(stock.sku), threshold=threshold)
        except (DomainError, Unavailable, CallFailed) as error:
            return self._back(request, stock, problem=_said(error))
        shown = "none" if threshold is None else threshold
        return self._back(request, stock, done=f"Threshold: {shown}")

    def _stock(self, request: HttpRequest, object_id: str) -> models.Stock | None:
        """The row that is acted on. Raises PermissionDenied."""
        if not _may_change(request):
            raise PermissionDenied
        found: models.Stock | None = self.get_object(request, unquote(object_id))
        return found

    def _back(
        self,
        request: HttpRequest,
        stock: models.Stock | None,
        *,
        done: str = "",
        log: bool = True,
        problem: str = "",
    ) -> HttpResponse:
        if stock is None:
            messages.error(request, "There was never any stock of this SKU.")
            return redirect(reverse("admin:inventory_stock_changelist"))
        if done and log:
            self.log_change(request, stock, done)
        if done:
            messages.success(request, f"{done}.")
        if problem:
            messages.error(request, problem)
        return redirect(reverse("admin:inventory_stock_change", args=[quote(stock.pk)]))


@admin.register(models.Adjustment)
class AdjustmentAdmin(ReadOnlyAdmin):
    """What was adjusted."""

    list_display = ("at", "sku", "by", "available", "reason", "who")
    list_filter = ("reason", "at")
    search_fields = ("sku", "who")
    ordering = ("-id",)


@admin.register(models.Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Holds."""

    list_display = ("reference", "state", "goods", "expires_at")
    list_filter = ("state",)
    ordering = ("-id",)
    search_fields = ("reference",)
    search_help_text = "A whole reference."
    fields = ("reference", "state", "goods", "expires_at")
    readonly_fields = ("goods",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        try:
            return queryset.filter(reference=UUID(text)), False
        except ValueError:
            return queryset.none(), False

    @admin.display(description="lines")
    def goods(self, hold: models.Hold) -> str:
        """What is held, in words."""
        return ", ".join(f"{quantity} x {sku}" for sku, quantity in hold.lines)


class _Held:
    """What is held, read once for a whole list, and only if it is shown."""

    @cached_property
    def all(self) -> Counter[str]:
        """By SKU."""
        return queries.held()

    @admin.display(description="held")
    def held(self, stock: models.Stock) -> str:
        """How many are held for buyers who have not paid yet."""
        return str(self.all[stock.sku])


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("inventory.change_stock")


def _said(error: DomainError | Unavailable | CallFailed) -> str:
    if isinstance(error, DomainError):
        return error.detail
    return "There was no answer in time: look at the adjustments before you try again."


def _first_error(form: forms.Form) -> str:
    return next((f"{name}: {errors[0]}" for name, errors in form.errors.items()), "")

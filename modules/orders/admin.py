"""Orders in Django's admin. It writes through the module's interface only, and each act is logged.

Baskets are not listed: their ids are capabilities.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from modules.orders import models
from modules.orders.interface import OrderId, OrderNotFound, Orders, OrderState
from modules.orders.queries.numbers import ids_of, number_of
from monolift import DomainError, Unavailable, use
from monolift.gateway.backoffice import ReadOnlyAdmin
from monolift.kernel import CallFailed, Money

orders = use(Orders)


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """Rows to look at."""

    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrderLineInline(ReadOnlyInline):
    """What was bought."""

    model = models.OrderLine
    fields = ("sku", "title", "quantity", "each", "with_tax")
    readonly_fields = ("each", "with_tax")

    @admin.display(description="each")
    def each(self, line: models.OrderLine) -> str:
        """The list price of one."""
        return str(Money(line.unit, line.order.currency))

    @admin.display(description="with tax")
    def with_tax(self, line: models.OrderLine) -> str:
        """What all of them cost."""
        return str(Money(line.total, line.order.currency))


class RefundInline(ReadOnlyInline):
    """What was given back."""

    model = models.Refund
    fields = ("created_at", "money", "reason", "state")
    readonly_fields = ("money",)

    @admin.display(description="amount")
    def money(self, refund: models.Refund) -> str:
        """What goes back."""
        return str(Money(refund.amount, refund.order.currency))


class RefundForm(forms.Form):
    """A refund, in major units of the order's currency. `form` makes sending it twice harmless."""

    amount = forms.DecimalField(max_digits=18, decimal_places=4, min_value=Decimal("0.0001"))
    reason = forms.CharField(max_length=500)
    form = forms.UUIDField(widget=forms.HiddenInput)


class CancelForm(forms.Form):
    """Why an order is taken back."""

    reason = forms.CharField(max_length=500)


@admin.register(models.Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders: found by number or email, with their timeline, cancelled and refunded from here."""

    list_display = ("number", "state", "email", "paid", "given_back", "placed_at")
    # By what has an index: a filter on the currency would read all orders, twice.
    list_filter = ("state", "placed_at")
    search_fields = ("id",)
    search_help_text = "The start of an order's number, or an email address."
    ordering = ("-placed_at", "-id")
    fields = (
        ("number", "state"),
        ("placed_at", "invoice_number"),
        ("email", "customer_id"),
        ("goods", "less", "coupon"),
        ("carriage", "taxed"),
        ("paid", "given_back"),
        ("delivery", "tracking"),
        "goes_to",
        "problem",
        "timeline",
    )
    readonly_fields = (
        "number",
        "invoice_number",
        "goods",
        "less",
        "carriage",
        "taxed",
        "paid",
        "given_back",
        "goes_to",
        "timeline",
    )
    inlines = (OrderLineInline, RefundInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("invoice")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if "@" in text:
            return queryset.filter(email=text), False
        if text:
            least, most = ids_of(text)
            if least is None:
                return queryset.none(), False
            return queryset.filter(pk__gte=least, pk__lte=most), False
        return queryset, False

    @admin.display(description="number", ordering="id")
    def number(self, order: models.Order) -> str:
        """What people call it."""
        return number_of(order.pk)

    @admin.display(description="goods")
    def goods(self, order: models.Order) -> str:
        """What they cost before anything was off, without tax."""
        return str(Money(order.net, order.currency))

    @admin.display(description="discount")
    def less(self, order: models.Order) -> str:
        """What was off, and the coupon's part of it."""
        off = str(Money(order.discount, order.currency)) if order.discount else "-"
        if not order.coupon_discount:
            return off
        return f"{off}, {Money(order.coupon_discount, order.currency)} of it by the coupon"

    @admin.display(description="shipping")
    def carriage(self, order: models.Order) -> str:
        """What the delivery cost, without tax."""
        return str(Money(order.shipping, order.currency))

    @admin.display(description="tax")
    def taxed(self, order: models.Order) -> str:
        """The tax, by rate where it was kept."""
        rates = [
            f"{rate / 100:g} % of {Money(net, order.currency)}" for rate, net, _ in order.taxes
        ]
        told = f" ({', '.join(rates)})" if rates else ""
        return f"{Money(order.tax, order.currency)}{told}"

    @admin.display(description="address")
    def goes_to(self, order: models.Order) -> SafeString:
        """Where it goes, as on the parcel."""
        parts = ("name", "street", "postcode", "city", "country")
        lines = ((order.address.get(part, ""),) for part in parts)
        return format_html_join(SafeString("<br>"), "{}", lines)

    @admin.display(description="total", ordering="total")
    def paid(self, order: models.Order) -> str:
        """The total as money."""
        return str(Money(order.total, order.currency))

    @admin.display(description="refunded", ordering="refunded")
    def given_back(self, order: models.Order) -> str:
        """What was refunded, as money."""
        return str(Money(order.refunded, order.currency)) if order.refunded else "-"

    @admin.display(description="invoice")
    def invoice_number(self, order: models.Order) -> str:
        """The invoice's number, once there is one."""
        return str(order.invoice) if hasattr(order, "invoice") else "-"

    @admin.display(description="timeline")
    def timeline(self, order: models.Order) -> SafeString | str:
        """What the order's processes did."""
        try:
            entries = orders.timeline(order_id=OrderId(order.pk))
        except OrderNotFound:
            return "None: its processes are not kept any more, or it was imported."
        except (Unavailable, CallFailed):
            return "Not known at the moment."
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (
                    entry.at.strftime("%Y-%m-%d %H:%M:%S"),
                    entry.process,
                    entry.step,
                    entry.what,
                    entry.note,
                )
                for entry in entries
            ),
        )
        head = "".join(f"<th>{name}</th>" for name in ("time", "process", "step", "what", "note"))
        return format_html(
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", SafeString(head), rows
        )

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view
        return [
            path(
                "<uuid:order_id>/cancel/",
                act(require_POST(self.cancel)),
                name="orders_order_cancel",
            ),
            path(
                "<uuid:order_id>/refund/",
                act(require_POST(self.refund)),
                name="orders_order_refund",
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
        """The order, with the forms of what can be done to it."""
        context = extra_context or {}
        order = self.get_object(request, object_id)
        if order is not None:
            context["subtitle"] = f"{number_of(order.pk)}, {order.get_state_display().lower()}"
        if order is not None and request.user.has_perm("orders.change_order"):
            left = Money(order.total - order.refunded, order.currency)
            # The form's id follows from what was refunded so far and what was given up: sent twice,
            # by two clerks even, it refunds once.
            given_up = order.refunds.filter(state=models.Refund.State.FAILED).count()
            form_id = uuid5(order.pk, f"refund after {order.refunded}, {given_up} given up")
            context["left"] = left
            if order.state == models.Order.State.PAID:
                context["cancel_form"] = CancelForm()
            if order.state in ("paid", "shipped", "delivered") and left:
                context["refund_form"] = RefundForm(initial={"form": form_id})
        return super().change_view(request, object_id, form_url, context)

    def cancel(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        """Cancel through the interface."""
        _check_permission(request)
        form = CancelForm(request.POST)
        if not form.is_valid():
            return self._back(request, order_id, problem=_first_error(form))
        reason = form.cleaned_data["reason"]
        try:
            order = orders.cancel(order_id=OrderId(order_id), reason=reason)
        except (DomainError, Unavailable, CallFailed) as error:
            return self._back(request, order_id, problem=_said(error))
        done = "Cancelled" if order.state is OrderState.CANCELLED else "Cancelling"
        return self._back(request, order_id, done=f"{done}: {reason}")

    def refund(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        """Refund through the interface."""
        _check_permission(request)
        form = RefundForm(request.POST)
        if not form.is_valid():
            return self._back(request, order_id, problem=_first_error(form))
        currency = models.Order.objects.values_list("currency", flat=True).filter(pk=order_id)
        reason = form.cleaned_data["reason"]
        try:
            amount = Money.of(form.cleaned_data["amount"], currency[0])
        except (ValueError, IndexError) as error:
            return self._back(request, order_id, problem=str(error))
        try:
            orders.refund(
                order_id=OrderId(order_id),
                # Another amount is another refund: one that was refused is in nobody's way.
                refund_reference=uuid5(form.cleaned_data["form"], str(amount)),
                amount=amount,
                reason=reason,
            )
        except (DomainError, Unavailable, CallFailed) as error:
            return self._back(request, order_id, problem=_said(error))
        return self._back(request, order_id, done=f"Refunded {amount}: {reason}")

    def _back(
        self, request: HttpRequest, order_id: UUID, *, done: str = "", problem: str = ""
    ) -> HttpResponse:
        if done:
            order = models.Order.objects.filter(pk=order_id).first()
            if order is not None:
                self.log_change(request, order, done)
            messages.success(request, f"{done}.")
        if problem:
            messages.error(request, problem)
        return redirect(reverse("admin:orders_order_change", args=[order_id]))


def _check_permission(request: HttpRequest) -> None:
    if not request.user.has_perm("orders.change_order"):
        raise PermissionDenied


def _said(error: DomainError | Unavailable | CallFailed) -> str:
    if isinstance(error, DomainError):
        return error.detail
    return "There was no answer in time: look at the timeline before you try again."


def _first_error(form: forms.Form) -> str:
    name, errors = next(iter(form.errors.items()))
    return f"{name}: {errors[0]}"

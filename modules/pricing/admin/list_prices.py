"""List prices and their lists."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from modules.pricing import models
from modules.pricing.forms import (
    CURRENCIES,
    MOST_AT_ONCE,
    PriceForm,
    PriceListForm,
    PricesForm,
)
from modules.pricing.interface import ListPrice, PriceList, Pricing
from monolift import DomainError, Money, Unavailable, use
from monolift.gateway.backoffice import InterfaceAdmin, difference
from monolift.kernel import CallFailed

pricing = use(Pricing)
type _Key = tuple[str, str]


class CurrencyFilter(admin.SimpleListFilter):
    """A currency. Django's own filter would look for the values in every row."""

    title = "currency"
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The choices beside all."""
        return CURRENCIES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What is chosen."""
        chosen = self.value()
        return queryset.filter(currency=chosen) if chosen else queryset


@admin.register(models.ListPrice)
class ListPriceAdmin(InterfaceAdmin):
    """List prices: found by SKU, set from here."""

    list_display = ("sku", "price", "currency", "price_list")
    list_filter = (CurrencyFilter, "price_list")
    list_select_related = ("price_list",)
    search_fields = ("sku",)
    search_help_text = "A part of a SKU."
    ordering = ("sku", "currency", "price_list")
    actions = ("set_together",)
    write_form = PriceForm
    key_fields = ("sku", "price_list", "currency")

    @admin.display(description="price", ordering="amount")
    def price(self, row: models.ListPrice) -> str:
        """The price as money."""
        return str(Money(row.amount, row.currency))

    def initial(self, row: models.ListPrice) -> Mapping[str, Any]:
        """See `InterfaceAdmin.initial`."""
        return {
            "sku": row.sku,
            "price_list": row.price_list_id,
            "currency": row.currency,
            "amount": Money(row.amount, row.currency).decimal,
        }

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """See `InterfaceAdmin.write`."""
        price = ListPrice(sku=data["sku"], unit=data["unit"])
        pricing.set_prices(prices=[price], price_list=data["price_list"])
        return models.ListPrice.objects.values_list("pk", flat=True).get(
            sku=data["sku"], currency=data["currency"], price_list=data["price_list"]
        )

    def get_urls(self) -> list[URLPattern]:
        together = self.admin_site.admin_view(self.together)
        return [
            path("together/", together, name="pricing_listprice_together"),
            *super().get_urls(),
        ]

    def has_set_permission(self, request: HttpRequest) -> bool:
        """Who may set many prices: new ones may be among them."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    @admin.action(description="Set the prices of the selected together", permissions=["set"])
    def set_together(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Open the form for many prices with these."""
        rows = self.chosen(request, queryset.order_by("sku", "currency"), most=MOST_AT_ONCE)
        names = {row.price_list_id for row in rows}
        if len(names) > 1:
            self.message_user(request, "Choose prices of one list only.", messages.ERROR)
        if len(names) != 1:
            return None
        lines = "\n".join(map(_line, rows))
        shown = {"price_list": names.pop(), "prices": lines, "shown": lines}
        return self._together(request, PricesForm(initial=shown))

    def together(self, request: HttpRequest) -> HttpResponse:
        """Set many prices through the interface: all or none."""
        if not self.has_set_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._together(request, PricesForm())
        form = PricesForm(request.POST)
        if not form.is_valid():
            return self._together(request, form)
        prices, name = form.cleaned_data["prices"], form.cleaned_data["price_list"]
        before = _known(prices, name)
        overtaken = _overtaken(prices, form.cleaned_data["shown"], before)
        if overtaken:
            told = ", ".join(overtaken[:10])
            form.add_error(None, f"Changed since you opened this: {told}. Nothing was saved.")
            return self._together(request, form)
        try:
            pricing.set_prices(prices=prices, price_list=name)
        except DomainError as error:
            form.add_error(None, error.detail)
            return self._together(request, form)
        except (Unavailable, CallFailed):
            form.add_error(None, "There was no answer in time. Look whether it is saved.")
            return self._together(request, form)
        changed = _log_prices(request, before, _known(prices, name))
        self.message_user(request, f"{changed} of {len(prices)} prices changed.")
        return redirect(reverse("admin:pricing_listprice_changelist"))

    def _together(self, request: HttpRequest, form: forms.Form) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Set many prices",
            "opts": self.opts,
            "form": form,
            "action": reverse("admin:pricing_listprice_together"),
            "may_write": True,
        }
        template = "monolift/interface_form.html"
        return TemplateResponse(request, template, context, status=422 if form.errors else 200)


def _line(row: models.ListPrice) -> str:
    return f"{row.sku} | {row.currency} | {Money(row.amount, row.currency).decimal}"


def _known(prices: Iterable[ListPrice], price_list: str) -> dict[_Key, models.ListPrice]:
    skus = sorted({price.sku for price in prices})
    rows = models.ListPrice.objects.filter(price_list=price_list, sku__in=skus)
    return {(row.sku, row.currency): row for row in rows}


def _overtaken(
    prices: Sequence[ListPrice], shown: str, known: Mapping[_Key, models.ListPrice]
) -> list[str]:
    """The SKUs whose price is not the one that was shown any more."""
    lines = {tuple(line.split(" | ")[:2]): line for line in shown.splitlines()}
    overtaken = []
    for price in prices:
        key = (price.sku, price.unit.currency)
        if key in lines and (key not in known or _line(known[key]) != lines[key]):
            overtaken.append(price.sku)
    return overtaken


def _log_prices(
    request: HttpRequest,
    before: Mapping[_Key, models.ListPrice],
    after: Mapping[_Key, models.ListPrice],
) -> int:
    """Tell the history of each price that is another now; how many there are."""
    user = request.user
    assert user.pk is not None  # noqa: S101 - signed in, as the admin has checked
    kind = ContentType.objects.get_for_model(models.ListPrice)
    entries = []
    for key, row in after.items():
        old = before.get(key)
        if old is not None and old.amount == row.amount:
            continue
        values = {"amount": Money(row.amount, row.currency).decimal}
        was = {"amount": Money(old.amount, old.currency).decimal} if old else {}
        entries.append(
            LogEntry(
                user_id=user.pk,
                content_type=kind,
                object_id=str(row.pk),
                object_repr=str(row)[:200],
                action_flag=CHANGE if old else ADDITION,
                change_message=difference(was, values),
            )
        )
    LogEntry.objects.bulk_create(entries, batch_size=100)
    return len(entries)


@admin.register(models.PriceList)
class PriceListAdmin(InterfaceAdmin):
    """Price lists."""

    list_display = ("name", "priority", "starts_at", "ends_at")
    ordering = ("-priority", "name")
    write_form = PriceListForm
    key_fields = ("name",)

    def initial(self, row: models.PriceList) -> Mapping[str, Any]:
        """See `InterfaceAdmin.initial`."""
        names = ("name", "priority", "starts_at", "ends_at")
        return {name: getattr(row, name) for name in names}

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """See `InterfaceAdmin.write`."""
        pricing.set_price_lists(price_lists=[PriceList(**data)])
        return data["name"]

"""Prices in Django's admin. It writes through the interface only, and each act is logged."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from modules.pricing import models
from modules.pricing.forms import (
    MOST_AT_ONCE,
    CouponForm,
    PriceForm,
    PriceListForm,
    PricesForm,
    PromotionForm,
)
from modules.pricing.interface import Coupon, ListPrice, PriceList, Pricing, Promotion
from monolift import DomainError, Money, Unavailable, use
from monolift.gateway.backoffice import InterfaceAdmin, ReadOnlyAdmin, difference
from monolift.kernel import CallFailed, clock

pricing = use(Pricing)
type _Key = tuple[str, str]


def _major(amount: int, currency: str) -> Decimal | None:
    return Money(amount, currency).decimal if amount else None


@admin.register(models.ListPrice)
class ListPriceAdmin(InterfaceAdmin):
    """List prices: found by SKU, set from here."""

    list_display = ("sku", "price", "currency", "price_list")
    list_filter = ("currency", "price_list")
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
            "amount": _major(row.amount, row.currency),
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


@admin.register(models.Promotion)
class PromotionAdmin(InterfaceAdmin):
    """Promotions. A window is what one is known by: it is removed and made anew, not changed."""

    list_display = ("sku", "off", "starts_at", "ends_at")
    search_fields = ("sku",)
    ordering = ("-ends_at", "sku")
    actions = ("remove",)
    write_form = PromotionForm
    key_fields = ("sku", "currency", "starts_at", "ends_at")

    @admin.display(description="off")
    def off(self, row: models.Promotion) -> str:
        """What is off, in words."""
        return f"{row.percent} %" if row.percent else str(Money(row.amount, row.currency))

    @admin.action(description="End the selected promotions now", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """End them through the interface."""
        chosen = self.chosen(request, queryset.order_by("pk"), most=MOST_AT_ONCE)
        promotions = [_promotion(row) for row in chosen]
        try:
            pricing.remove_promotions(promotions=promotions)
        except (DomainError, Unavailable, CallFailed) as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        self.log_deletions(request, chosen)
        self.message_user(request, f"{len(promotions)} ended.")

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Who may delete promotions."""
        return request.user.has_perm("pricing.delete_promotion")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def initial(self, row: models.Promotion) -> Mapping[str, Any]:
        """See `InterfaceAdmin.initial`."""
        return {
            "sku": row.sku,
            "percent": row.percent or None,
            "amount": _major(row.amount, row.currency) if row.currency else None,
            "currency": row.currency,
            "starts_at": row.starts_at,
            "ends_at": row.ends_at,
        }

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """See `InterfaceAdmin.write`."""
        promotion = Promotion(
            sku=data["sku"],
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            percent=data["percent"] or 0,
            amount=data["off"],
        )
        pricing.set_promotions(promotions=[promotion])
        return models.Promotion.objects.values_list("pk", flat=True).get(
            sku=promotion.sku,
            currency=promotion.amount.currency if promotion.amount else "",
            starts_at=promotion.starts_at,
            ends_at=promotion.ends_at,
        )


def _promotion(row: models.Promotion) -> Promotion:
    return Promotion(
        sku=row.sku,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        percent=row.percent,
        amount=Money(row.amount, row.currency) if row.currency else None,
    )


@admin.register(models.Coupon)
class CouponAdmin(InterfaceAdmin):
    """Coupons, and how often each was used."""

    list_display = ("code", "off", "used", "limit", "starts_at", "ends_at")
    search_fields = ("code",)
    change_form_template = "admin/pricing/coupon/change_form.html"
    ordering = ("code",)
    actions = ("end",)
    write_form = CouponForm
    key_fields = ("code",)

    @admin.display(description="off")
    def off(self, row: models.Coupon) -> str:
        """What is off, in words."""
        return f"{row.percent} %" if row.percent else str(Money(row.amount, row.currency))

    @admin.display(description="used", ordering="redeemed")
    def used(self, row: models.Coupon) -> SafeString | str:
        """How often, with a way to see what for."""
        if not row.redeemed:
            return "0"
        page = reverse("admin:pricing_redemption_changelist")
        return format_html('<a href="{}?coupon={}">{}</a>', page, row.code, row.redeemed)

    @admin.action(description="End the selected coupons now", permissions=["change"])
    def end(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """End them through the interface, all or none."""
        now = clock.now().replace(microsecond=0)
        chosen = self.chosen(request, queryset.order_by("pk"), most=MOST_AT_ONCE)
        rows = [row for row in chosen if row.ends_at is None or row.ends_at > now]
        try:
            pricing.set_coupons(coupons=[_coupon(row, ends_at=now) for row in rows])
        except (DomainError, Unavailable, CallFailed) as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        for row in rows:
            told = difference({"ends_at": row.ends_at}, {"ends_at": now})
            self.log_change(request, row, told)
        self.message_user(request, f"{len(rows)} ended.")

    def initial(self, row: models.Coupon) -> Mapping[str, Any]:
        """See `InterfaceAdmin.initial`."""
        least = row.minimum_currency
        return {
            "code": row.code,
            "percent": row.percent or None,
            "amount": _major(row.amount, row.currency) if row.currency else None,
            "currency": row.currency,
            "minimum": _major(row.minimum, least) if least else None,
            "minimum_currency": least,
            "limit": row.limit,
            "starts_at": row.starts_at,
            "ends_at": row.ends_at,
        }

    def write(self, request: HttpRequest, data: Mapping[str, Any], row: Any) -> Any:
        """See `InterfaceAdmin.write`."""
        coupon = Coupon(
            code=data["code"],
            percent=data["percent"] or 0,
            amount=data["off"],
            minimum=data["least"],
            limit=data["limit"],
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
        )
        pricing.set_coupons(coupons=[coupon])
        return coupon.code


def _coupon(row: models.Coupon, *, ends_at: datetime) -> Coupon:
    return Coupon(
        code=row.code,
        percent=row.percent,
        amount=Money(row.amount, row.currency) if row.currency else None,
        minimum=Money(row.minimum, row.minimum_currency) if row.minimum_currency else None,
        limit=row.limit,
        starts_at=row.starts_at,
        ends_at=ends_at,
    )


@admin.register(models.Redemption)
class RedemptionAdmin(ReadOnlyAdmin):
    """What coupons were used for."""

    list_display = ("reference", "coupon", "redeemed_at")
    # By key: there is no index on the time, and references made by time are in its order.
    ordering = ("-reference",)
    fields = ("reference", "coupon", "redeemed_at")
    search_fields = ("reference",)
    search_help_text = "A whole code, or a whole reference."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        try:
            return queryset.filter(reference=UUID(text)), False
        except ValueError:
            return queryset.filter(coupon=text.upper()), False

"""Prices in Django's admin. It writes through the module's interface only, and each act is logged.

Amounts are typed in major units, with as many digits as their currency has (ISO 4217).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from modules.pricing import models
from modules.pricing.interface import Coupon, ListPrice, PriceList, Pricing, Promotion
from monolift import DomainError, Money, Unavailable, use
from monolift.gateway.backoffice import InterfaceAdmin
from monolift.kernel import CallFailed

pricing = use(Pricing)
CURRENCIES = [(code, code) for code in ("EUR", "USD", "JPY", "KWD")]
_MOST = Decimal(10**12)
MOST_AT_ONCE = 500


class AmountField(forms.DecimalField):
    """An amount of money in major units; how many digits it may have is its currency's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_value=_MOST, min_value=0, max_digits=18, decimal_places=3, **options)


def _money(data: Mapping[str, Any], amount: str, currency: str, form: forms.Form) -> Money | None:
    """What two fields say together; None when they say nothing."""
    value, code = data.get(amount), data.get(currency)
    if value is None:
        return None
    if not code:
        form.add_error(currency, "Choose a currency.")
        return None
    try:
        return Money.of(value, code)
    except ValueError:
        form.add_error(amount, f"{code} has fewer digits behind the point.")
        return None


class WindowForm(forms.Form):
    """From when until when."""

    starts_at = forms.SplitDateTimeField(required=False, help_text="UTC. Empty: since ever.")
    ends_at = forms.SplitDateTimeField(required=False, help_text="UTC. Empty: without end.")


class PriceForm(forms.Form):
    """The price of a SKU in one currency and list."""

    sku = forms.CharField(label="SKU", max_length=64)
    price_list = forms.CharField(max_length=50, initial=models.DEFAULT_LIST)
    currency = forms.ChoiceField(choices=CURRENCIES)
    amount = AmountField(help_text="Before promotions and tax, for example 12.50.")

    def clean(self) -> dict[str, Any]:
        """Amount and currency become money."""
        data: dict[str, Any] = super().clean() or {}
        return {**data, "unit": _money(data, "amount", "currency", self)}


class PriceListForm(WindowForm):
    """When a list counts."""

    name = forms.SlugField(max_length=50)
    priority = forms.IntegerField(
        initial=1,
        min_value=-(10**6),
        max_value=10**6,
        help_text="Of several prices the one of the list with the highest priority counts.",
    )
    field_order = ("name", "priority")


class PromotionForm(WindowForm):
    """What is off a SKU, and when."""

    sku = forms.CharField(label="SKU", max_length=64)
    percent = forms.IntegerField(required=False, min_value=1, max_value=models.MOST_PERCENT)
    amount = AmountField(required=False, help_text="Off each unit, instead of a percentage.")
    currency = forms.ChoiceField(choices=[("", "-"), *CURRENCIES], required=False)
    field_order = ("sku", "percent", "amount", "currency")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("starts_at", "ends_at"):
            self.fields[name].required = True
            self.fields[name].help_text = "UTC."

    def clean(self) -> dict[str, Any]:
        """Amount and currency become money."""
        data: dict[str, Any] = super().clean() or {}
        return {**data, "off": _money(data, "amount", "currency", self)}


class CouponForm(WindowForm):
    """What a code is worth, and how often."""

    code = forms.CharField(max_length=40)
    percent = forms.IntegerField(required=False, min_value=1, max_value=models.MOST_PERCENT)
    amount = AmountField(required=False, help_text="Off the order, instead of a percentage.")
    currency = forms.ChoiceField(choices=[("", "-"), *CURRENCIES], required=False)
    minimum = AmountField(required=False, help_text="What the goods must cost at least.")
    minimum_currency = forms.ChoiceField(choices=[("", "-"), *CURRENCIES], required=False)
    limit = forms.IntegerField(
        required=False, min_value=1, max_value=10**9, help_text="Uses in all. Empty: no limit."
    )
    field_order = (
        "code", "percent", "amount", "currency", "minimum", "minimum_currency", "limit",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Amounts and currencies become money."""
        data: dict[str, Any] = super().clean() or {}
        return {
            **data,
            "off": _money(data, "amount", "currency", self),
            "least": _money(data, "minimum", "minimum_currency", self),
        }


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
    write_form = PriceForm

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


@admin.register(models.PriceList)
class PriceListAdmin(InterfaceAdmin):
    """Price lists."""

    list_display = ("name", "priority", "starts_at", "ends_at")
    ordering = ("-priority", "name")
    write_form = PriceListForm

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

    @admin.display(description="off")
    def off(self, row: models.Promotion) -> str:
        """What is off, in words."""
        return f"{row.percent} %" if row.percent else str(Money(row.amount, row.currency))

    @admin.action(description="End the selected promotions now", permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """End them through the interface."""
        chosen = queryset.order_by("pk")[:MOST_AT_ONCE]
        promotions = [_promotion(row) for row in chosen]  # read now: they are logged afterwards
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

    list_display = ("code", "off", "redeemed", "limit", "starts_at", "ends_at")
    search_fields = ("code",)
    ordering = ("code",)
    write_form = CouponForm

    @admin.display(description="off")
    def off(self, row: models.Coupon) -> str:
        """What is off, in words."""
        return f"{row.percent} %" if row.percent else str(Money(row.amount, row.currency))

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
            code=data["code"].upper(),
            percent=data["percent"] or 0,
            amount=data["off"],
            minimum=data["least"],
            limit=data["limit"],
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
        )
        pricing.set_coupons(coupons=[coupon])
        return coupon.code

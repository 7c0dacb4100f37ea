"""Promotions, coupons, and what coupons were used for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from modules.pricing import models
from modules.pricing.forms import (
    MOST_AT_ONCE,
    CouponForm,
    PromotionForm,
)
from modules.pricing.interface import Coupon, Pricing, Promotion
from monolift import DomainError, Money, Unavailable, use
from monolift.gateway.backoffice import InterfaceAdmin, ReadOnlyAdmin, difference
from monolift.kernel import CallFailed, clock

pricing = use(Pricing)


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
            "amount": Money(row.amount, row.currency).decimal if row.currency else None,
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
            "amount": Money(row.amount, row.currency).decimal if row.currency else None,
            "currency": row.currency,
            "minimum": Money(row.minimum, least).decimal if least else None,
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


@admin.register(models.Untaxed)
class UntaxedAdmin(ReadOnlyAdmin):
    """What is sold without tax; an import says so."""

    ordering = ("sku",)
    fields = ("sku",)
    search_fields = ("sku__istartswith",)

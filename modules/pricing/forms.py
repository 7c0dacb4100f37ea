"""Forms of the back office. Amounts are typed in major units.

An amount has as many digits behind the point as its currency has (ISO 4217), or fewer.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from modules.pricing import models
from modules.pricing.interface import ListPrice
from monolift import Money

CURRENCIES = [(code, code) for code in ("EUR", "USD", "JPY", "KWD")]
MOST_AT_ONCE = 500
_MOST = Decimal(10**12)
_MOST_TOLD = 10
_SEPARATOR = re.compile(r"[|\t]")


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
        digits = Money.zero(code).exponent
        form.add_error(amount, f"{code} has {digits or 'no'} digits behind the point.")
        return None


class MomentField(forms.SplitDateTimeField):
    """A date and a time, with the browser's own calendar."""

    def __init__(self, **options: Any) -> None:
        widget = forms.SplitDateTimeWidget(
            date_format="%Y-%m-%d",
            time_format="%H:%M:%S",
            date_attrs={"type": "date"},
            time_attrs={"type": "time", "step": "1"},
        )
        super().__init__(widget=widget, **options)


class WindowForm(forms.Form):
    """From when until when."""

    starts_at = MomentField(required=False, help_text="UTC. Empty: since ever.")
    ends_at = MomentField(required=False, help_text="UTC. Empty: without end.")


def price_lists() -> list[tuple[str, str]]:
    """The names of all lists, that which is always there first."""
    names = models.PriceList.objects.order_by("name").values_list("name", flat=True)
    return [(name, name) for name in dict.fromkeys((models.DEFAULT_LIST, *names))]


class PriceForm(forms.Form):
    """The price of a SKU in one currency and list."""

    sku = forms.CharField(label="SKU", max_length=64)
    price_list = forms.ChoiceField(choices=price_lists, initial=models.DEFAULT_LIST)
    currency = forms.ChoiceField(choices=CURRENCIES)
    amount = AmountField(help_text="Before promotions and tax, for example 12.50.")

    def clean(self) -> dict[str, Any]:
        """Amount and currency become money."""
        data: dict[str, Any] = super().clean() or {}
        return {**data, "unit": _money(data, "amount", "currency", self)}


class PricesForm(forms.Form):
    """Many prices of one list. `shown` is what stood there when the form was opened."""

    price_list = forms.ChoiceField(choices=price_lists, initial=models.DEFAULT_LIST)
    prices = forms.CharField(
        max_length=MOST_AT_ONCE * 100,
        widget=forms.Textarea(attrs={"rows": 20, "cols": 60, "spellcheck": "false"}),
        help_text=(
            "One a line: SKU | currency | amount, for example MUG-S | EUR | 12.50. Columns copied "
            f"from a spreadsheet will do. At most {MOST_AT_ONCE} lines, all set together or none."
        ),
    )
    shown = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean_prices(self) -> list[ListPrice]:
        """The lines as prices."""
        lines = self.cleaned_data["prices"].splitlines()
        named = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        if len(named) > MOST_AT_ONCE:
            raise ValidationError(f"These are {len(named)} lines: set {MOST_AT_ONCE} at a time.")
        found: dict[tuple[str, str], ListPrice] = {}
        problems = []
        for number, line in named:
            try:
                price = _price(line)
            except ValueError as error:
                problems.append(f"Line {number}: {error}")
                continue
            if (price.sku, price.unit.currency) in found:
                problems.append(f"Line {number}: {price.sku} is there twice.")
            found[price.sku, price.unit.currency] = price
        if problems:
            raise ValidationError(problems[:_MOST_TOLD])
        return list(found.values())


def _price(line: str) -> ListPrice:
    """What a line says. Raises ValueError."""
    cells = [cell.strip() for cell in _SEPARATOR.split(line)]
    if len(cells) != 3:
        raise ValueError("write SKU | currency | amount.")
    sku, currency, amount = cells
    if not 1 <= len(sku) <= 64:
        raise ValueError("a SKU has 1 to 64 characters.")
    if currency not in dict(CURRENCIES):
        raise ValueError(f"{currency[:20]!r} is none of {', '.join(dict(CURRENCIES))}.")
    unit = Money.of(amount, currency)
    if not 0 < unit.decimal <= _MOST:
        raise ValueError(f"{unit} is no price: it must be above zero and no more than 10^12.")
    return ListPrice(sku=sku, unit=unit)


class PriceListForm(WindowForm):
    """When a list counts."""

    name = forms.SlugField(max_length=50)
    priority = forms.IntegerField(
        initial=1,
        min_value=-1000,
        max_value=1000,
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
        if data.get("amount") is None:
            data["currency"] = ""  # a percentage has none
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

    def clean_code(self) -> str:
        """As it is stored: letters count the same in either case."""
        return str(self.cleaned_data["code"]).upper()

    def clean(self) -> dict[str, Any]:
        """Amounts and currencies become money."""
        data: dict[str, Any] = super().clean() or {}
        return {
            **data,
            "off": _money(data, "amount", "currency", self),
            "least": _money(data, "minimum", "minimum_currency", self),
        }

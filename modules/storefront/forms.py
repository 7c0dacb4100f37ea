"""What visitors type: checked for shape here, for meaning by the module that owns it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from modules.storefront.requires import Rate
from modules.storefront.templatetags.storefront import money

# ISO 3166-1, English short names as people know them.
COUNTRIES: Mapping[str, str] = {
    "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BG": "Bulgaria", "CA": "Canada",
    "CH": "Switzerland", "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany", "DK": "Denmark",
    "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "United Kingdom",
    "GR": "Greece", "HR": "Croatia", "HU": "Hungary", "IE": "Ireland", "IT": "Italy",
    "JP": "Japan", "KW": "Kuwait", "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia",
    "MT": "Malta", "NL": "Netherlands", "NO": "Norway", "NZ": "New Zealand", "PL": "Poland",
    "PT": "Portugal", "RO": "Romania", "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia",
    "US": "United States",
}  # fmt: skip

# What there is before it is known where to; the rates then say what it costs and how long it takes.
DELIVERIES = (("standard", "Standard"), ("express", "Express"))

_SKU = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Far beyond any quantity the shop sells; what lies between is for orders to judge.
_BOUND = 10**9


class _Plain(forms.Form):
    def first_error(self) -> str:
        """The first thing that is wrong."""
        return str(next(iter(self.errors.values()))[0])


class SkuField(forms.CharField):
    """The SKU that a button stands for."""

    default_error_messages = {
        "required": "Choose one of the variants.",
        "invalid": "There is nothing for sale by that name. Choose from what is shown here.",
    }

    def validate(self, value: Any) -> None:
        """Refuse what cannot be a SKU."""
        super().validate(value)
        if len(value) > 64 or not _SKU.fullmatch(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")

    def run_validators(self, value: Any) -> None:
        """A NUL is no SKU either, which is said already."""


class QuantityField(forms.IntegerField):
    """How many; which numbers can be sold is for orders to say."""

    def __init__(self) -> None:
        whole = "Give the quantity as a whole number, for example 2."
        messages = dict.fromkeys(("required", "invalid", "min_value", "max_value"), whole)
        super().__init__(min_value=-_BOUND, max_value=_BOUND, error_messages=messages)


class AddForm(_Plain):
    """So many of a SKU."""

    sku = SkuField()
    quantity = QuantityField()


class ChangeForm(AddForm):
    """A line's new quantity."""


class RemoveForm(_Plain):
    """The line to remove."""

    sku = SkuField()


def _worded(rate: Rate) -> str:
    price = money(rate.price) if rate.price else "free"
    days = "the next day" if rate.days == 1 else f"within {rate.days} days"
    return f"{rate.title}: {days}, {price}"


class CouponForm(_Plain):
    """A coupon's code; empty takes the coupon off."""

    code = forms.CharField(
        required=False,
        max_length=64,
        error_messages={"max_length": "No coupon is that long."},
        validators=[],
    )


def _printable(value: str) -> None:
    if _CONTROL.search(value):
        raise ValidationError("Leave out the characters that cannot be printed.", code="control")


class TextField(forms.CharField):
    """One line of text."""

    def __init__(self, label: str, *, longest: int, missing: str, complete: str) -> None:
        super().__init__(
            label=label,
            max_length=longest,
            error_messages={
                "required": missing,
                "max_length": f"Use at most {longest} characters.",
            },
            widget=forms.TextInput(attrs={"autocomplete": complete}),
            validators=[_printable],
        )


class _Secret(forms.TextInput):
    """Never shows what was typed before."""

    def format_value(self, value: Any) -> str | None:
        return None


class CardField(forms.CharField):
    """A detail of a card. Its rules are the payment provider's."""

    def __init__(
        self, label: str, *, complete: str, example: str, longest: int, missing: str
    ) -> None:
        super().__init__(
            label=label,
            max_length=longest,
            help_text=example,
            error_messages={"required": missing, "max_length": "That is too long."},
            widget=_Secret(attrs={"autocomplete": complete, "inputmode": "numeric"}),
            validators=[_printable],
        )


class CheckoutForm(_Plain):
    """Where to, how, and the card that pays."""

    name = TextField("Full name", longest=100, missing="Tell us your name.", complete="name")
    email = forms.EmailField(
        label="Email",
        max_length=254,
        help_text="For questions about your order.",
        error_messages={
            "required": "Tell us your email address.",
            "invalid": "Write the email address like name@example.org.",
            "max_length": "Use at most 254 characters.",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    street = TextField(
        "Street and number", longest=200, missing="Tell us the street.", complete="street-address"
    )
    postcode = TextField(
        "Postcode", longest=20, missing="Tell us the postcode.", complete="postal-code"
    )
    city = TextField("City", longest=100, missing="Tell us the city.", complete="address-level2")
    country = forms.ChoiceField(
        label="Country",
        help_text="Delivery and tax depend on it.",
        error_messages={
            "required": "Choose a country.",
            "invalid_choice": "We do not deliver there. Choose a country from the list.",
        },
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    delivery = forms.ChoiceField(
        label="Delivery",
        choices=DELIVERIES,
        initial=DELIVERIES[0][0],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose a delivery.",
            "invalid_choice": "Choose one of these deliveries.",
        },
    )
    number = CardField(
        "Card number",
        complete="cc-number",
        example="For example 4242 4242 4242 4242.",
        longest=40,
        missing="Enter the card number.",
    )
    expiry = CardField(
        "Expiry date", complete="cc-exp", example="MM/YY", longest=7, missing="Enter the date."
    )
    cvc = CardField(
        "Security code",
        complete="cc-csc",
        example="3 or 4 digits.",
        longest=4,
        missing="Enter the code.",
    )

    ADDRESS = ("name", "email", "street", "postcode", "city", "country")
    CARD = ("number", "expiry", "cvc")

    save = forms.BooleanField(label="Keep this address in my account", required=False)

    def __init__(
        self,
        *args: Any,
        destinations: Sequence[str],
        rates: Sequence[Rate],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rates = {rate.method: rate for rate in rates}
        named = sorted((COUNTRIES.get(code, code), code) for code in destinations)
        self.countries = {code: name for name, code in named}
        country = self.fields["country"]
        assert isinstance(country, forms.ChoiceField)  # noqa: S101 - declared so above
        country.choices = [("", "Choose a country"), *self.countries.items()]
        delivery = self.fields["delivery"]
        assert isinstance(delivery, forms.ChoiceField)  # noqa: S101 - declared so above
        # With scripts the total follows; a button does it without.
        live = {
            "hx-post": reverse("storefront:checkout"),
            "hx-vals": '{"recalculate": "1"}',
            "hx-params": "not number,expiry,cvc",
            "hx-target": "#summary",
            "hx-select": "#summary",
            "hx-swap": "outerHTML",
            "hx-disabled-elt": "[data-pay]",
        }
        country.widget.attrs |= live | {"hx-select-oob": "#deliveries"}
        delivery.widget.attrs |= live
        delivery.choices = [(rate.method, _worded(rate)) for rate in rates] or DELIVERIES

    def part(self, names: Sequence[str]) -> dict[str, str]:
        """The cleaned values of some fields."""
        return {name: self.cleaned_data[name] for name in names}


class SavedAddressForm(_Plain):
    """An address that a customer keeps."""

    name = TextField("Full name", longest=100, missing="Tell us the name.", complete="name")
    street = TextField(
        "Street and number", longest=200, missing="Tell us the street.", complete="street-address"
    )
    postcode = TextField(
        "Postcode", longest=20, missing="Tell us the postcode.", complete="postal-code"
    )
    city = TextField("City", longest=100, missing="Tell us the city.", complete="address-level2")
    country = forms.ChoiceField(
        label="Country",
        choices=[("", "Choose a country"), *COUNTRIES.items()],
        error_messages={
            "required": "Choose a country.",
            "invalid_choice": "Choose a country from the list.",
        },
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    default = forms.BooleanField(label="Use this one first", required=False)


class ProfileForm(_Plain):
    """What a customer tells of themselves."""

    name = TextField("Full name", longest=100, missing="", complete="name")
    phone = TextField("Phone", longest=30, missing="", complete="tel")
    newsletter = forms.BooleanField(label="Send me the newsletter", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = self.fields["phone"].required = False

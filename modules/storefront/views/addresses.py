"""The addresses that a customer keeps."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from modules.storefront.forms import COUNTRIES, SavedAddressForm
from modules.storefront.requires import (
    AddressNotFound,
    InvalidPostalAddress,
    PostalAddress,
    SavedAddress,
    TooManyAddresses,
    profiles,
)
from modules.storefront.views.account import for_customers
from modules.storefront.views.page import answers, error_page, page, see_other
from modules.storefront.views.visitor import Visitor


@answers("GET", "POST")
@for_customers
def show(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """All of them; with POST, keep another."""
    if request.method != "POST":
        return _list(request, customer_id, SavedAddressForm())
    form = SavedAddressForm(request.POST)
    if _save(form, customer_id, None):
        return see_other("storefront:addresses")
    return _list(request, customer_id, form, status=422)


@answers("GET", "POST")
@for_customers
def edit(request: HttpRequest, customer_id: UUID, address_id: UUID) -> HttpResponse:
    """One of them; with POST, change it, or remove it."""
    if request.method == "POST" and "remove" in request.POST:
        profiles.remove_address(user_id=customer_id, address_id=address_id)
        return see_other("storefront:addresses")
    kept = {one.id: one for one in profiles.addresses(user_id=customer_id)}
    saved = next((one for key, one in kept.items() if key == address_id), None)
    if saved is None:
        return error_page(
            request, status=AddressNotFound.status, sentence="You keep no such address (any more)."
        )
    if request.method != "POST":
        return _one(request, saved, SavedAddressForm(initial=_typed(saved)))
    form = SavedAddressForm(request.POST)
    if _save(form, customer_id, address_id):
        return see_other("storefront:addresses")
    return _one(request, saved, form, status=422)


def _save(form: SavedAddressForm, customer_id: UUID, address_id: UUID | None) -> bool:
    """Keep what was typed; False, with the reason in the form, when it cannot be kept."""
    if not form.is_valid():
        return False
    fields = dict(form.cleaned_data)
    default = fields.pop("default")
    try:
        profiles.save_address(
            user_id=customer_id,
            address=PostalAddress(**fields),
            address_id=address_id,
            default=default,
        )
    except InvalidPostalAddress as error:
        form.add_error(error.field if error.field in form.fields else None, error.problem)
    except (TooManyAddresses, AddressNotFound) as error:
        form.add_error(None, error.detail)
    else:
        return True
    return False


def _typed(saved: SavedAddress) -> dict[str, Any]:
    address = saved.address
    fields = {name: getattr(address, name) for name in address.__struct_fields__}
    return fields | {"default": saved.default}


def _list(
    request: HttpRequest, customer_id: UUID, form: SavedAddressForm, *, status: int = 200
) -> HttpResponse:
    saved = [
        (one, COUNTRIES.get(one.address.country, one.address.country))
        for one in profiles.addresses(user_id=customer_id)
    ]
    context = {"saved": saved, "form": form, "part": "addresses"}
    visitor = Visitor.of(request)
    return page(request, "account_addresses.html", context, visitor=visitor, status=status)


def _one(
    request: HttpRequest, saved: SavedAddress, form: SavedAddressForm, *, status: int = 200
) -> HttpResponse:
    context = {"saved": saved, "form": form, "part": "addresses"}
    visitor = Visitor.of(request)
    return page(request, "account_address.html", context, visitor=visitor, status=status)

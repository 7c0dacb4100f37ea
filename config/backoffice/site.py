"""The site of the back office."""

from typing import Any

from django.http import HttpRequest

from monolift.gateway.backoffice_site import BackOfficeSite

TITLES = {
    "orders": "Orders",
    "payments": "Payments",
    "shipping": "Shipments",
    "catalog": "Products",
    "pricing": "Prices",
    "inventory": "Stock",
    "profiles": "Customers",
    "notifications": "Mail",
    "identity": "Accounts",
    "auth": "Rights",
}
"""What the parts are called, in the order of the pages; others follow by name."""


class BackOffice(BackOfficeSite):
    """Django's admin, arranged for shop work."""

    site_header = "Shop back office"
    site_title = "Back office"
    index_title = "What is to be done?"
    site_url = None  # the pages have a link to the shop of their own

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The parts in the order of `TITLES`, the tables of each in the order of its admin.py."""
        order = {label: place for place, label in enumerate(TITLES)}
        parts = self._build_app_dict(request, app_label).values()
        return sorted(parts, key=lambda one: (order.get(one["app_label"], len(order)), one["name"]))

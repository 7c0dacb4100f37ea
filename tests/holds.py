"""What the holds of the stock say was sold: apart from the shop's other modules."""

from collections import Counter

from django.apps import apps

from monolift.registry.topology import topology


def taken_by_holds() -> Counter[str] | None:
    """How many of each SKU were sold, by what was taken out.

    None when a fake keeps the stock, or a deployable of its own.
    """
    if not apps.is_installed("modules.inventory") or not topology().runs("inventory"):
        return None
    from modules.inventory.models import Hold

    found: Counter[str] = Counter()
    for lines in Hold.objects.filter(state=Hold.State.TAKEN).values_list("lines", flat=True):
        for sku, quantity in lines:
            found[sku] += quantity
    return found

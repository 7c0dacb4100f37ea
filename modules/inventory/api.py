"""Inventory over REST."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from modules.inventory.interface import Inventory, Sku
from monolift import use

router = Router(tags=["inventory"])
inventory = use(Inventory)

SkuIn = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


@router.get("/availability", response=dict[str, int])
def availability(
    request: HttpRequest, sku: Annotated[list[SkuIn], Query(min_length=1, max_length=100)]
) -> dict[str, int]:
    """How many of each SKU can be bought now; 0 for an unknown one."""
    found = inventory.available(skus=[Sku(one) for one in sku])
    return {str(one): number for one, number in found.items()}

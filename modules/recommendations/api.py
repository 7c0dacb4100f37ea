"""Recommendations over REST."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from modules.recommendations.interface import Recommendations
from monolift import use

router = Router(tags=["recommendations"])
recommendations = use(Recommendations)

Sku = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


@router.get("", response=list[str])
def bought_together(
    request: HttpRequest,
    sku: Annotated[list[Sku], Query(min_length=1, max_length=50)],
    limit: Annotated[int, Query(ge=1, le=50)] = 4,
) -> list[str]:
    """SKUs that were most often bought with any of these, filled up with what is bought most."""
    return list(recommendations.bought_together(skus=sku, limit=limit))

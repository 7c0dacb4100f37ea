"""Search over REST."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from modules.search.interface import Search, SearchPage, Suggestion
from monolift import use

router = Router(tags=["search"])
search_ = use(Search)

Currency = Literal["EUR", "USD", "JPY", "KWD"]
Text = Annotated[str, Query(max_length=10_000)]
OptionIn = Annotated[str, Field(max_length=201, pattern=r"^[^:\x00]{1,100}:[^\x00]{1,100}$")]


class FacetValueOut(Schema):
    """A value to narrow by, and how many products it would leave."""

    value: str
    count: int
    title: str


class FacetOut(Schema):
    """Something to narrow by: `category`, or an option's name."""

    name: str
    values: list[FacetValueOut]


class SearchPageOut(Schema):
    """Products found, the best first; give `next` as `after` for those behind them.

    With `more`, `total` is the least there are. `corrected` is what the text was taken for.
    """

    slugs: list[str]
    total: int
    more: bool
    facets: list[FacetOut]
    next: str | None
    corrected: str


class SuggestionOut(Schema):
    """A category or a product whose name goes on like the text."""

    kind: Literal["category", "product"]
    text: str
    slug: str


@router.get("", response=SearchPageOut)
def search(
    request: HttpRequest,
    text: Text = "",
    currency: Currency = "EUR",
    category: Annotated[str, Query(max_length=100, pattern=r"^[-A-Za-z0-9_]*$")] = "",
    option: Annotated[tuple[OptionIn, ...], Query(max_length=20)] = (),
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
    after: Annotated[str | None, Query(max_length=2000, pattern=r"^[A-Za-z0-9_-]+$")] = None,
) -> SearchPage:
    """Products that have every word; narrow them by `option=Colour:moss`, several times if need be.

    Several values of one option widen, several options narrow.
    """
    options: dict[str, list[str]] = {}
    for one in option:
        name, _, value = one.partition(":")
        options.setdefault(name, []).append(value)
    return search_.search(
        text=text, currency=currency, category=category, options=options, limit=limit, after=after
    )


@router.get("/suggest", response=list[SuggestionOut])
def suggest(
    request: HttpRequest, text: Text = "", limit: Annotated[int, Query(ge=1, le=20)] = 8
) -> list[Suggestion]:
    """Categories and titles for the text typed so far."""
    return list(search_.suggest(text=text, limit=limit))

"""What a lifted module's answer costs without the library: the same bytes, by a plain view and by
django-ninja.
"""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Schema

from benchmarks.probe.interface import Probe
from benchmarks.probe.services import TEN_LINES, ProbeService
from monolift.kernel import operations_of
from monolift.transport.codec import encode_answer

ANSWER = encode_answer(operations_of(Probe)["priced"], ProbeService().priced(lines=TEN_LINES))


@csrf_exempt
def plain(request: HttpRequest) -> HttpResponse:
    """As one writes it by hand: read the JSON, give the answer."""
    json.loads(request.body)
    return HttpResponse(ANSWER, content_type="application/json")


class Line(Schema):
    """So many of a SKU."""

    sku: str
    quantity: int


class Wanted(Schema):
    """The arguments."""

    lines: list[Line]


class Money(Schema):
    """An amount in the currency's smallest unit."""

    amount: int
    currency: str


class Priced(Schema):
    """A line with what it costs."""

    sku: str
    title: str
    quantity: int
    unit: Money
    total: Money


class Placed(Schema):
    """The answer."""

    id: str
    lines: list[Priced]
    total: Money


api = NinjaAPI(urls_namespace="plain-answer", docs_url=None, openapi_url=None)
_READY: Any = json.loads(ANSWER)


@api.post("/priced", response=Placed)
def priced(request: HttpRequest, wanted: Wanted) -> Any:
    """The same through django-ninja's schemas."""
    return _READY


urlpatterns = [path("plain", plain), path("ninja/", api.urls)]

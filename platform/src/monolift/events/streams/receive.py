"""Where a deployable takes signed batches of events in: the other side of `HttpStream`.

    path("_monolift/events", receive)

Only what is signed by a known deployable, for this one, is read at all. A batch is kept before it
is answered; single messages that nobody here can get are kept as failed deliveries.
"""

import json
from collections.abc import Sequence

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from monolift.events.streams.arrive import take
from monolift.events.streams.envelope import (
    BATCH_TYPE,
    MAX_BYTES,
    Arrived,
    Malformed,
    read_batch,
)
from monolift.events.streams.port import Misplaced
from monolift.observe.logs import logger
from monolift.registry.topology import topology
from monolift.transport.protocol import MISDIRECTED
from monolift.transport.signed import TooLarge, read
from monolift.transport.signing import SignatureRefused

log = logger("monolift.streams")


@csrf_exempt
@transaction.non_atomic_requests
def receive(request: HttpRequest) -> HttpResponse:
    """Take in a batch: 204 when it is kept, however often it comes.

    401 or 403 for what is not signed as it must be, 405, 413, 415 and 400 for what is no batch, 421
    for events of modules that are not here, with their ids in `events` (all others are kept), 503
    while it cannot be kept. Errors are problem+json (RFC 9457).
    """
    if request.method != "POST":
        return _problem(405, "Method not allowed", "Send a batch by POST.", Allow="POST")
    try:
        claims, body = read(request, largest=MAX_BYTES)
    except SignatureRefused as error:
        log.warning("batch of events is refused", reason=error.reason)
        if error.status == 403:
            return _problem(403, "Not allowed", error.reason)
        return _problem(401, "Not signed", error.reason, WWW_Authenticate="Bearer")
    except TooLarge as error:
        return _problem(413, "Too large", f"A batch with {error} is not read.")
    if request.content_type != BATCH_TYPE:
        return _problem(415, "Unsupported media type", f"Send {BATCH_TYPE}.")
    try:
        batch = read_batch(body)
    except Malformed as error:
        return _problem(400, "Bad request", str(error))
    if foreign := _foreign(batch, claims.iss):
        log.warning("batch of events is refused", reason=foreign)
        return _problem(403, "Not allowed", foreign)
    try:
        take(batch)
    except Misplaced as misplaced:
        return _problem(MISDIRECTED, "Not here", misplaced.reason, events=sorted(misplaced.events))
    except Exception as error:
        log.error("batch of events is not kept", exc_info=error)
        return _problem(503, "Not available now", "Send it again.", Retry_After="1")
    return HttpResponse(status=204)


def _foreign(batch: Sequence[Arrived], issuer: str) -> str:
    """Why a deployable may not send this: it speaks for the modules it hosts, and for no others."""
    places = topology().places
    for arrived in batch:
        host = places.get(arrived.source)
        if host is not None and host.deployable != issuer:
            return f"{issuer} does not speak for {arrived.source}, which runs in {host.deployable}."
    return ""


def _problem(
    status: int, title: str, detail: str, *, events: Sequence[str] = (), **headers: str
) -> HttpResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if events:
        body["events"] = list(events)
    return HttpResponse(
        json.dumps(body),
        status=status,
        content_type="application/problem+json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )

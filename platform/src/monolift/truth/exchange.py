"""What deployables tell each other about the topology: the side that answers.

    path("_monolift/topology", exchange)

A request carries what the sender knows, the answer what the receiver knows. The control deployable
is believed by all others, and believes nobody: it sends each change at once, and who heard nothing
for a while asks.
"""

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from monolift.observe.logs import logger
from monolift.registry.places import here
from monolift.registry.topology import topology
from monolift.transport.signed import TooLarge, read
from monolift.transport.signing import SignatureRefused
from monolift.truth import learning, presence, row
from monolift.truth.document import Document, Malformed, decode, encode, of

LARGEST = 1024 * 1024
_TYPE = "application/json"

log = logger("monolift.topology")


@csrf_exempt
@transaction.non_atomic_requests
def exchange(request: HttpRequest) -> HttpResponse:
    """Say what is in force here, and learn from the control deployable.

    401 and 403 for what is not signed as it must be, 405, 413, 400 for what is no topology, 409 for
    one that this project cannot carry out.
    """
    if request.method != "POST":
        return _plain(405, "ask by POST")
    try:
        claims, body = read(request, largest=LARGEST)
        theirs = decode(body)
    except SignatureRefused as error:
        log.warning("topology is refused", reason=error.reason)
        return _plain(error.status, error.reason)
    except TooLarge as error:
        return _plain(413, str(error))
    except Malformed as error:
        return _plain(400, str(error))
    if topology().control == here():
        _compare(claims.iss, theirs)
    elif claims.iss == topology().control and not learning.learn(theirs, from_control=True):
        return _plain(409, f"{here()} cannot carry this topology out: its log says why")
    return HttpResponse(encode(of(topology())), content_type=_TYPE)


@csrf_exempt
@transaction.non_atomic_requests
def processes(request: HttpRequest) -> HttpResponse:
    """Say which processes of this deployable live, and what they know: this one, and who wrote so.

    401 and 403 for what is not signed as it must be, 405, 413; 503 while the database is away.
    """
    if request.method != "POST":
        return _plain(405, "ask by POST")
    try:
        read(request, largest=LARGEST)
        me = presence.myself()
        others = [one for one in presence.alive() if (one.host, one.pid) != (me.host, me.pid)]
    except SignatureRefused as error:
        return _plain(error.status, error.reason)
    except TooLarge as error:
        return _plain(413, str(error))
    except DatabaseError as error:
        return _plain(503, f"the database of {here()} gave no answer: {type(error).__name__}")
    return HttpResponse(presence.encode([me, *others]), content_type=_TYPE)


def _compare(issuer: str, theirs: Document) -> None:
    """Name what a deployable knows otherwise: modules that are not its own, a later epoch."""
    known = topology()
    if theirs.epoch > known.epoch and (reason := row.lost(theirs.epoch)):
        log.error("a deployable does not follow the truth row", deployable=issuer, reason=reason)
    for label, stay in theirs.places.items():
        ours = known.place(label).deployable
        if theirs.epoch == known.epoch and stay.deployable == issuer != ours:
            log.error(
                "two deployables claim a module: the control deployable decides",
                module=label,
                claimed_by=issuer,
                runs_in=ours,
            )


def _plain(status: int, reason: str) -> HttpResponse:
    return HttpResponse(reason + "\n", status=status, content_type="text/plain; charset=utf-8")

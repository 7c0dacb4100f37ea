"""What a deployable still does when five times as much is asked of it as it can do.

Each call holds a place for a tenth of a second, as one does that waits for its database. So many
callers that no bulkhead of theirs helps: what is refused is refused by the deployable.
"""

import http.client
from collections.abc import Iterator
from statistics import median

import msgspec

from benchmarks.context import Context
from benchmarks.figures.remote import KEYS, elsewhere
from benchmarks.offered import Ask, asked, offered, quantile
from benchmarks.probe.interface import Probe
from benchmarks.results import Result
from benchmarks.servers import connected
from monolift.registry.settings import setting
from monolift.transport.protocol import DEADLINE, target
from monolift.transport.signing import Key, Signer

GOAL = 0.8
TIMES = 5
SECONDS = 10.0
ROUNDS = 3
CLIENTS = 64
HOLDS = 100
"""Milliseconds of a call."""
PATIENCE = 1.0
"""Seconds after which an answer is of no use."""


def run(context: Context) -> Iterator[Result]:
    """Peak and overload in turns. Not in the short form: it takes a minute."""
    if context.short:
        return
    places = setting("SERVES_AT_ONCE")
    ratios: list[float] = []
    notes = ""
    with elsewhere(threads=places + 4) as port:
        asked(lambda: _asking(port), seconds=1, clients=places)
        for _ in range(ROUNDS):
            calm = asked(lambda: _asking(port), seconds=SECONDS / 2, clients=places)
            peak = sum(one.what == "good" for one in calm) / (SECONDS / 2)
            seen = offered(
                lambda: _asking(port), rate=TIMES * peak, seconds=SECONDS, clients=CLIENTS
            )
            good = [one.seconds for one in seen if one.what == "good" and one.seconds <= PATIENCE]
            ratios.append(len(good) / SECONDS / peak)
            refused = [one.seconds for one in seen if one.what == "refused"]
            notes = (
                f"{len(good) / SECONDS:.0f} good answers a second, peak {peak:.0f}; p99 "
                f"{quantile(0.99, good):.0f} ms; {len(refused)} of {len(seen)} refused, p50 "
                f"{quantile(0.5, refused or [0]):.0f} ms; "
                f"{sum(one.what == 'failed' for one in seen)} without an answer"
            )
    yield Result.count(
        median(ratios),
        figure="overload",
        what=f"good answers of a deployable at {TIMES}x what it can do / at its peak",
        database="-",
        goal=GOAL,
        sense="at least",
        unit="x",
        note=notes,
    )


def _asking(port: int) -> Ask:
    """One caller, with its connection. It does not repeat: that is not what is measured."""
    key = KEYS[0]
    signer = Signer(key=Key(id=key["id"], secret=key["secret"].encode(), issuer=key["issuer"]))
    path = target(Probe.interface_name, "work", None)
    body = msgspec.json.encode({"milliseconds": HOLDS})
    link = connected(port)

    def ask(_: int) -> str:
        token = signer.sign(audience="other", method="POST", path=path, body=body)
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            DEADLINE: f"{PATIENCE * 1000:.0f}",
        }
        try:
            link.request("POST", path, body, headers)
            answer = link.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            link.close()
            return "failed"
        if answer.status == 503 and answer.headers.get("Retry-After"):
            return "refused"
        return "good" if answer.status == 200 else "failed"

    return ask

"""What deployables tell each other about the topology: the side that asks, and that tells."""

from concurrent.futures import ThreadPoolExecutor

from urllib3.exceptions import HTTPError

from monolift.kernel.clock import monotonic
from monolift.kernel.errors import Unavailable
from monolift.registry.places import here
from monolift.registry.topology import topology, urls
from monolift.transport.peers import peer
from monolift.truth import presence, row
from monolift.truth.document import Document, Malformed, decode, encode, of
from monolift.truth.presence import Process

PATH = "/_monolift/topology"
PROCESSES = "/_monolift/topology/processes"
TIMEOUT = 2.0
"""Seconds for a question, or for telling one deployable."""


def ask() -> Document:
    """What the control deployable says. Raises Unavailable."""
    return _post(topology().control, of(topology()))


def reached(name: str) -> Document:
    """What another deployable says is in force. Raises Unavailable when it does not answer."""
    return _post(name, of(topology()))


def processes(name: str) -> list[Process]:
    """Those of another deployable that live, and what they know. Raises Unavailable."""
    try:
        return presence.decode(_answer(name, PROCESSES, of(topology())))
    except ValueError as error:
        raise Unavailable(f"processes of {name}", str(error)) from error


def tell() -> dict[str, str]:
    """Tell each deployable that some module needs what is in force; why it failed, where it did."""
    known = topology()
    others = [name for name in known.wanted if name != here() and name in urls()]
    if not others:
        return {}

    def told(name: str) -> str:
        try:
            theirs = _post(name, of(known))
        except Unavailable as error:
            return error.reason
        return row.lost(theirs.epoch) if theirs.epoch > known.epoch else ""

    with ThreadPoolExecutor(max_workers=len(others)) as pool:
        failed = dict(zip(others, pool.map(told, others), strict=True))
    return {name: reason for name, reason in failed.items() if reason}


def _post(to: str, document: Document) -> Document:
    try:
        return decode(_answer(to, PATH, document))
    except Malformed as error:
        raise Unavailable(f"topology of {to}", str(error)) from error


def _answer(to: str, path: str, document: Document) -> bytes:
    try:
        outcome = peer(to).post(
            path,
            encode(document).encode(),
            end=monotonic() + TIMEOUT,
            headers={"Content-Type": "application/json"},
        )
    except (HTTPError, OSError) as error:
        raise Unavailable(f"topology of {to}", f"no answer: {type(error).__name__}") from error
    if outcome.status != 200:
        said = outcome.body[:200].decode(errors="replace")
        raise Unavailable(f"topology of {to}", f"status {outcome.status}: {said}")
    return outcome.body

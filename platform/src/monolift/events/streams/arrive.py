"""Taking in what a stream brings: a delivery for each subscriber of this process.

What no subscriber can get is kept as a failed delivery too, its body as it came: there an operator
finds it, with its reason, beside everything else that failed and whatever the stream was.
`resubmit` lets it arrive once more, when the code that knows it is installed.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from django.db import DataError

from monolift.events import relay
from monolift.events.deliveries import Announced
from monolift.events.streams.envelope import Arrived, Envelope, Rejected, read, rejected
from monolift.events.subscriptions import all_subscriptions, of_event
from monolift.events.tasks import task
from monolift.events.wake import wake
from monolift.kernel import Unavailable
from monolift.observe.logs import logger
from monolift.registry.modules import modules
from monolift.registry.places import here
from monolift.registry.sql import execute, now
from monolift.registry.topology import topology

log = logger("monolift.streams")

KEPT = 8 * 1024 * 1024
"""Bytes of such a message that are kept."""


class Undeliverable(Exception):
    """A message that was tried again, and still nobody here can get it."""


type Insert = Callable[[str, Sequence[Announced]], None]


def accept(batch: Sequence[Arrived], *, insert: Insert = relay.insert) -> None:
    """Keep what came in; see `port.Accept`.

    Each database gets its events in one statement. What fails for good is kept by itself and holds
    up nothing: no lane waits for it. Raises Unavailable, with all else kept, for an event whose
    subscribers this deployable does not host at its epoch: the topology of one side is older, and
    the event has to come again.
    """
    targets: dict[str, list[Envelope]] = {}
    outcasts: list[Rejected] = []
    misplaced: list[Envelope] = []
    for arrived in batch:
        if isinstance(arrived, Rejected):
            outcasts.append(arrived)
        elif aliases := _listening(arrived.type):
            for alias in aliases:
                targets.setdefault(alias, []).append(arrived)
        elif of_event(arrived.type):
            misplaced.append(arrived)
        else:
            outcasts.append(_unknown(arrived))
    for alias, envelopes in targets.items():
        outcasts += _insert(alias, envelopes, insert)
        wake(alias)
    for outcast in outcasts:
        _keep(outcast)
    if misplaced:
        raise Unavailable(
            f"delivery of {misplaced[0].type}",
            f"at epoch {topology().epoch} its subscribers are not in {here()}; they may be soon",
        )


def _insert(alias: str, envelopes: Sequence[Envelope], insert: Insert) -> list[Rejected]:
    """Insert all; those that the database refuses for what is in them."""
    try:
        insert(alias, [envelope.announced for envelope in envelopes])
    except DataError as error:
        if len(envelopes) == 1:
            message = msgspec.json.encode(envelopes[0])
            return [rejected(message, f"The database does not take it: {error}.")]
    else:
        return []
    return [outcast for envelope in envelopes for outcast in _insert(alias, [envelope], insert)]


def _local(labels: Iterable[str]) -> list[str]:
    return sorted({label for label in labels if topology().runs(label)} & modules().keys())


def _listening(event: str) -> list[str]:
    """The databases of the modules here that subscribe to an event."""
    labels = _local(subscription.module for subscription in of_event(event))
    return list(dict.fromkeys(topology().alias(label) for label in labels))


def publishers() -> list[str]:
    """The modules elsewhere whose events somebody here subscribes to: whose streams to read."""
    hosted = set(_local(modules()))
    return sorted(
        {
            subscription.event.event_owner
            for subscription in all_subscriptions()
            if subscription.module in hosted
        }
        - hosted
    )


def _unknown(envelope: Envelope) -> Rejected:
    return Rejected(
        envelope.id,
        envelope.source,
        envelope.type,
        f"Nobody here subscribes to {envelope.type}. Deploy the code that does, then resubmit it.",
        msgspec.json.encode(envelope),
    )


def _keep(outcast: Rejected) -> None:
    """Write a failed delivery; one that is there already stays as it is."""
    module = _responsible(outcast.source)
    alias = topology().alias(module)
    reason = outcast.reason
    if len(outcast.message) > KEPT:
        reason += f" Of its {len(outcast.message)} bytes {KEPT} are kept."
    body = arrive.arguments(
        message=outcast.message[:KEPT], publisher=outcast.source, event=outcast.type
    )
    written = execute(
        alias,
        "INSERT INTO monolift_delivery (module, event, subscriber, publisher, target, name, key, "
        "number, body, trace, state, attempts, token, failure, due_at, created_at) VALUES "
        "(%s, %s, %s, %s, '', %s, NULL, 0, %s, '', 'failed', 1, '', %s, "
        f"{now(alias)}, {now(alias)}) ON CONFLICT (module, event, subscriber) DO NOTHING",
        (
            module,
            outcast.id,
            arrive.name,
            outcast.source,
            outcast.type or arrive.name,
            msgspec.json.encode(body).decode(),
            reason.replace("\0", "")[:2000],
        ),
    )
    if written:
        log.error(
            "message cannot be delivered",
            event_id=outcast.id,
            publisher=outcast.source,
            reason=outcast.reason,
        )


def _responsible(publisher: str) -> str:
    """The module that shows the message: one that listens to its publisher, else any of here."""
    hosted = _local(modules())
    listening = {
        subscription.module
        for subscription in all_subscriptions()
        if subscription.event.event_owner == publisher
    }
    return next((label for label in hosted if label in listening), hosted[0])


@task
def arrive(*, message: bytes, publisher: str = "", event: str = "") -> None:
    """What `resubmit` runs: let a kept message arrive once more, or fail with the reason again."""
    arrived = read(message)
    if isinstance(arrived, Envelope) and not of_event(arrived.type):
        arrived = _unknown(arrived)
    if isinstance(arrived, Rejected):
        raise Undeliverable(arrived.reason)
    accept([arrived])

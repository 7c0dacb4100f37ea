"""Taking in what a stream brings: a delivery for each subscriber that this deployable runs.

An event says for which modules it is. For one that is not here (any more) it goes back to its
sender, by `Misplaced`, who looks where that module is now.

What no subscriber can get is kept as a failed delivery too, its body as it came: there an operator
finds it, with its reason, beside everything else that failed and whatever the stream was.
`resubmit` lets it arrive once more, when the code that knows it is installed.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from django.db import DatabaseError, DataError

from monolift.events import relay
from monolift.events.deliveries import Announced
from monolift.events.streams.envelope import Arrived, Envelope, Rejected, read, rejected
from monolift.events.streams.port import Misplaced
from monolift.events.subscriptions import all_subscriptions, of_event
from monolift.events.tasks import task
from monolift.events.wake import wake
from monolift.observe.logs import logger
from monolift.registry.fence import refused_by_fence
from monolift.registry.modules import modules
from monolift.registry.places import here
from monolift.registry.sql import execute, now
from monolift.registry.topology import renewed, topology

log = logger("monolift.streams")

KEPT = 8 * 1024 * 1024
"""Bytes of such a message that are kept."""


_NOBODY = "monolift"
"""Whose such messages are in a deployable that no module is in."""


class Undeliverable(Exception):
    """A message that was tried again, and still nobody here can get it."""


type Insert = Callable[[str, Sequence[Announced]], None]


def accept(batch: Sequence[Arrived], *, insert: Insert = relay.insert) -> None:
    """Keep what came in; see `port.Accept`.

    Each database gets its events in one statement. What fails for good is kept by itself and holds
    up nothing: no lane waits for it. Raises Misplaced, with all else kept, for events of modules
    that this deployable does not run at its epoch: the topology of one side is older.
    """
    known = topology()
    homeless, refusal = _keep_all(batch, insert)
    if topology() is not known:  # so perhaps some of it was for nobody here
        raise Misplaced([one.id for one in batch], "the topology has just changed")
    if homeless:
        labels = ", ".join(sorted({label for _, label in homeless}))
        raise Misplaced(
            [envelope.id for envelope, _ in homeless],
            refusal or f"at epoch {known.epoch} {here()} does not run {labels}",
        )


def take(batch: Sequence[Arrived]) -> None:
    """Keep what came in, by the newest topology that can be had. Raises what `accept` does."""
    try:
        accept(batch)
    except Misplaced as misplaced:
        known = topology()
        renewed()
        if topology() is known:
            raise
        accept([one for one in batch if one.id in misplaced.events])


type Homeless = list[tuple[Envelope, str]]
"""Events with modules that they are for, and that this deployable does not run."""


def _keep_all(batch: Sequence[Arrived], insert: Insert) -> tuple[Homeless, str]:
    """Keep what is for modules here; the others, and what a fence has said of some."""
    known = topology()
    hosted = set(_local(modules()))
    targets: dict[str, list[tuple[Envelope, str]]] = {}
    outcasts: list[Rejected] = []
    homeless: Homeless = []
    refusal = ""
    for arrived in batch:
        if isinstance(arrived, Rejected):
            outcasts.append(arrived)
            continue
        listening = list(dict.fromkeys(one.module for one in of_event(arrived.type)))
        labels = arrived.announced.to or _those_here(listening, hosted)
        homeless += [(arrived, label) for label in labels if label not in hosted]
        for label in labels:
            if label in hosted and label in listening:
                targets.setdefault(known.alias(label), []).append((arrived, label))
        strange = sorted(hosted.intersection(labels).difference(listening))
        if strange or not labels:
            outcasts += [_unknown(arrived, label) for label in strange or [""]]
    for alias, found in targets.items():
        envelopes = list({envelope.id: envelope for envelope, _ in found}.values())
        try:
            outcasts += _insert(alias, envelopes, insert)
        except DatabaseError as error:
            if not refused_by_fence(error):
                raise
            homeless += found
            refusal = str(error)
        else:
            wake(alias)
    for outcast in outcasts:
        _keep(outcast)
    return homeless, refusal


def _those_here(listening: Sequence[str], hosted: set[str]) -> Sequence[str]:
    """Whom an older sender means: who listens here; if nobody does, all who listen."""
    return [label for label in listening if label in hosted] or listening


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


def others() -> list[str]:
    """All other publishers: in their streams may be what was sent here before modules moved."""
    owners = {subscription.event.event_owner for subscription in all_subscriptions()}
    return sorted(owners - set(publishers()))


def _unknown(envelope: Envelope, label: str = "") -> Rejected:
    """An event that a module here does not subscribe to, or (without one) nobody here."""
    who = "Nobody here subscribes"
    if label:  # kept as what is for it alone, so that it can follow it
        who = f"{label} does not subscribe"
        envelope = msgspec.structs.replace(envelope, subscribers=label)
    return Rejected(
        envelope.id,
        envelope.source,
        envelope.type,
        f"{who} to {envelope.type}. Deploy the code that does, then resubmit it.",
        msgspec.json.encode(envelope),
        label,
    )


def _keep(outcast: Rejected) -> None:
    """Write a failed delivery; one that is there already stays as it is."""
    module = outcast.module or _responsible(outcast.source)
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
    """The module that shows the message: one that listens to its publisher, else any of here.

    A deployable without modules, whose stream is still read to its end, shows it itself.
    """
    hosted = _local(modules())
    listening = {
        subscription.module
        for subscription in all_subscriptions()
        if subscription.event.event_owner == publisher
    }
    return next((label for label in hosted if label in listening), (hosted or [_NOBODY])[0])


@task
def arrive(*, message: bytes, publisher: str = "", event: str = "") -> None:
    """What `resubmit` runs: let a kept message arrive once more, or fail with the reason again."""
    arrived = read(message)
    if isinstance(arrived, Envelope) and not of_event(arrived.type):
        arrived = _unknown(arrived)
    if isinstance(arrived, Rejected):
        raise Undeliverable(arrived.reason)
    take([arrived])

"""Taking in what a stream brings: a delivery for each subscriber that this deployable runs.

An event says for which modules it is. For one that is not here (any more) it goes back to who came
in with it, by `Misplaced`; what was read from a broker has nobody to go back to, and is forwarded.

What no subscriber can get is kept as a failed delivery too, its body as it came: there an operator
finds it, with its reason, beside everything else that failed and whatever the stream was.
`resubmit` lets it arrive once more, when the code that knows it is installed.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from django.db import DatabaseError, DataError

from monolift.events import relay
from monolift.events.deliveries import FORWARDED, Announced, address
from monolift.events.lanes import Lane, promote
from monolift.events.streams.envelope import Arrived, Envelope, Rejected, read, rejected
from monolift.events.streams.port import Misplaced
from monolift.events.subscriptions import all_subscriptions, of_event
from monolift.events.tasks import task
from monolift.events.wake import wake
from monolift.observe.logs import logger
from monolift.registry.fence import refused_by_fence
from monolift.registry.modules import modules
from monolift.registry.places import DEFAULT_ALIAS, here
from monolift.registry.sql import execute, now
from monolift.registry.topology import renewed, topology

log = logger("monolift.streams")

KEPT = 8 * 1024 * 1024
"""Bytes of such a message that are kept."""


class Undeliverable(Exception):
    """A message that was tried again, and still nobody here can get it."""


type Insert = Callable[[str, Sequence[Announced]], None]


def accept(batch: Sequence[Arrived], *, insert: Insert = relay.insert) -> None:
    """Keep what came in; see `port.Accept`.

    Each database gets its events in one statement. What fails for good is kept by itself and holds
    up nothing: no lane waits for it. Raises Misplaced, with all else kept, for events of modules
    that this deployable does not run at its epoch: the topology of one side is older.
    """
    misplaced = _keep_all(batch, insert)
    if misplaced:
        raise Misplaced(
            [envelope.id for envelope, _ in misplaced],
            f"at epoch {topology().epoch} {here()} does not run "
            f"{', '.join(sorted({label for _, label in misplaced}))}",
        )


def take_over(batch: Sequence[Arrived]) -> None:
    """Keep what a broker brought, whoever it is for.

    What is for modules elsewhere, by the newest topology that can be had, is handed over to them:
    its rows are this deployable's own, and no module's.
    """
    misplaced = _keep_all(batch, relay.insert)
    if misplaced:
        renewed()
        wanted = {label for _, label in misplaced}
        if any(topology().runs(label) for label in wanted & modules().keys()):
            misplaced = _keep_all([envelope for envelope, _ in misplaced], relay.insert)
    for envelope, label in misplaced:
        _forward(envelope, label)
    if misplaced:
        log.info("events are forwarded to where their modules are", count=len(misplaced))
        wake(_own_alias())


type Homeless = list[tuple[Envelope, str]]
"""Events with modules that they are for, and that this deployable does not run."""


def _keep_all(batch: Sequence[Arrived], insert: Insert) -> Homeless:
    known = topology()
    hosted = set(_local(modules()))
    targets: dict[str, list[Envelope]] = {}
    outcasts: list[Rejected] = []
    misplaced: Homeless = []
    for arrived in batch:
        if isinstance(arrived, Rejected):
            outcasts.append(arrived)
            continue
        listening = list(dict.fromkeys(one.module for one in of_event(arrived.type)))
        labels = arrived.announced.to or _those_here(listening, hosted)
        misplaced += [(arrived, label) for label in labels if label not in hosted]
        found = [label for label in labels if label in hosted and label in listening]
        for alias in dict.fromkeys(known.alias(label) for label in found):
            targets.setdefault(alias, []).append(arrived)
        if not labels or hosted.intersection(labels).difference(listening):
            outcasts.append(_unknown(arrived))
    for alias, envelopes in targets.items():
        try:
            outcasts += _insert(alias, envelopes, insert)
        except DatabaseError as error:
            if not refused_by_fence(error):
                raise
            raise Misplaced([one.id for one in envelopes], str(error)) from error
        wake(alias)
    for outcast in outcasts:
        _keep(outcast)
    if topology() is not known:  # so perhaps some of it was for nobody here
        raise Misplaced([one.id for one in batch], "the topology has just changed")
    return misplaced


def _those_here(listening: Sequence[str], hosted: set[str]) -> Sequence[str]:
    """Whom an older sender means: who listens here; if nobody does, all who listen."""
    return [label for label in listening if label in hosted] or listening


def _forward(envelope: Envelope, label: str) -> None:
    """Let an event be handed over from here; once, however often it comes."""
    event = envelope.announced
    alias = _own_alias()
    execute(
        alias,
        "INSERT INTO monolift_delivery (module, event, subscriber, publisher, target, name, key, "
        "number, body, trace, state, attempts, token, failure, due_at, created_at) VALUES "
        "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, '', '', "
        f"{now(alias)}, {now(alias)}) "
        "ON CONFLICT (module, event, subscriber) DO NOTHING",
        (
            FORWARDED,
            event.event,
            label,
            event.module,
            address(label),
            event.name,
            envelope.subject,
            event.number,
            event.body,
            event.trace,
            "pending" if envelope.subject is None else "waiting",
        ),
    )
    if envelope.subject is not None:
        promote(alias, [Lane(FORWARDED, event.module, envelope.subject, address(label))])


def _own_alias() -> str:
    """A database that the workers of this deployable look at, whatever it runs."""
    return min((topology().alias(label) for label in _local(modules())), default=DEFAULT_ALIAS)


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


def _unknown(envelope: Envelope) -> Rejected:
    who = "Nobody here subscribes"
    if of_event(envelope.type):
        who = f"Not all of {', '.join(envelope.announced.to)} subscribe here"
    return Rejected(
        envelope.id,
        envelope.source,
        envelope.type,
        f"{who} to {envelope.type}. Deploy the code that does, then resubmit it.",
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
    """The module that shows the message: one that listens to its publisher, else any of here.

    A deployable without modules, whose stream is still read to its end, shows it itself.
    """
    hosted = _local(modules())
    listening = {
        subscription.module
        for subscription in all_subscriptions()
        if subscription.event.event_owner == publisher
    }
    return next((label for label in hosted if label in listening), (hosted or [FORWARDED])[0])


@task
def arrive(*, message: bytes, publisher: str = "", event: str = "") -> None:
    """What `resubmit` runs: let a kept message arrive once more, or fail with the reason again."""
    arrived = read(message)
    if isinstance(arrived, Envelope) and not of_event(arrived.type):
        arrived = _unknown(arrived)
    if isinstance(arrived, Rejected):
        raise Undeliverable(arrived.reason)
    take_over([arrived])

"""Handing events over to where their subscribers are: another database, or another deployable.

A hand-over is a delivery like any other: in order within its lane, repeated until it is taken, and
visible to operators. It says for which module it is. Where that is, the topology says each time it
is tried, so it finds a module that has moved while it waited, also when that has come home. The
other side keeps each event once for each subscriber, however often it is handed over.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import DatabaseError

from monolift.events import deliveries, relay
from monolift.events.deliveries import Announced, Claimed
from monolift.events.streams import chosen
from monolift.events.streams.port import Misplaced, Refused, UnderWay
from monolift.events.subscriptions import of_event
from monolift.events.wake import wake
from monolift.kernel import clock
from monolift.registry.fence import refused_by_fence
from monolift.registry.places import Topology
from monolift.registry.settings import setting
from monolift.registry.topology import modules_on, renewed, topology


class Destination(NamedTuple):
    """Where some modules are: a database of this deployable, or another deployable."""

    alias: str
    deployable: str


type Outcomes = Mapping[str, Exception]
"""Why events were not taken, by their ids. All others are kept there."""


def hand_over(alias: str) -> int:
    """Hand over what is due, a batch to each destination; how many there were.

    What is not taken is repeated, also after the last attempt of a handler: nothing is wrong with
    the event. Only when it is older than what the other side remembers, it rests as failed: it may
    have been taken, and would be taken again. So does what the other side will never take as it is.
    """
    batch = deliveries.claim(alias, modules=modules_on(alias), away=True)
    for claimed in [one for one in batch if _is_forgotten(one)]:
        batch.remove(claimed)
        deliveries.failed(alias, claimed, Forgotten(claimed), final=True)
    known = topology()
    parcels: dict[Destination, dict[str, dict[str, Claimed]]] = {}
    for claimed in batch:
        for label in _addressees(claimed):
            those = parcels.setdefault(_destination(known, label), {})
            those.setdefault(claimed.event, {})[label] = claimed
    troubles: dict[Claimed, Exception] = {}
    for destination, events in parcels.items():
        # To a destination an event goes once, for all its modules there.
        announced = [
            next(iter(those.values())).announced(to=sorted(those)) for those in events.values()
        ]
        for identifier, trouble in _hand(destination, announced, known).items():
            for claimed in events[identifier].values():
                if not isinstance(troubles.get(claimed), Refused):
                    troubles[claimed] = trouble
    deliveries.done(alias, [claimed for claimed in batch if claimed not in troubles])
    for claimed, trouble in troubles.items():
        _note(alias, claimed, trouble)
    return len(batch)


def _addressees(claimed: Claimed) -> Sequence[str]:
    """The modules that it is for.

    An older release addressed databases and deployables. All that subscribe get that: most have it
    from others, and drop it.
    """
    if claimed.addressee is not None:
        return (claimed.addressee,)
    return list(dict.fromkeys(one.module for one in of_event(claimed.name)))


def _destination(known: Topology, label: str) -> Destination:
    place = known.place(label)
    return Destination(place.alias, "") if place.here else Destination("", place.deployable)


def _hand(destination: Destination, events: Sequence[Announced], known: Topology) -> Outcomes:
    """Give events to one destination."""
    try:
        if destination.deployable:
            send(destination.deployable, events)
            return {}
        return _keep_here(destination.alias, events, known)
    except Misplaced as misplaced:
        renewed()
        return {one.event: misplaced for one in events if one.event in misplaced.events}
    except Refused as refused:
        return {name: Refused({name: reason}) for name, reason in refused.reasons.items()}
    except Exception as error:
        if isinstance(error, DatabaseError) and refused_by_fence(error):
            error = Misplaced([one.event for one in events])
        return dict.fromkeys((one.event for one in events), error)


def _keep_here(alias: str, events: Sequence[Announced], known: Topology) -> Outcomes:
    unknown = {
        event.event: LookupError(f"{label} does not subscribe to {event.name} here")
        for event in events
        for label in event.to
        if all(one.module != label for one in of_event(event.name))
    }
    relay.insert(alias, [event for event in events if event.event not in unknown])
    wake(alias)
    if topology() is not known:  # so perhaps some of it was for nobody here
        return {event.event: Misplaced([event.event]) for event in events}
    return unknown


_CALM: Mapping[type, str] = {
    Misplaced: "delivery follows its module",
    UnderWay: "delivery is on its way",
}


def _note(alias: str, claimed: Claimed, trouble: Exception) -> None:
    final = isinstance(trouble, Refused)
    never = not isinstance(trouble, LookupError)
    deliveries.failed(
        alias,
        claimed,
        trouble,
        final=final if never else None,
        calm=_CALM.get(type(trouble), ""),
    )


class Forgotten(Exception):
    """A hand-over that may have been taken so long ago that the other side does not know."""

    def __init__(self, claimed: Claimed) -> None:
        super().__init__(
            f"{claimed.addressee or claimed.target} may have taken it, more than {setting('KEEP')} "
            f"days ago, and does not know any more. Look there for event {claimed.event}, then "
            "skip it or resubmit it."
        )


def _is_forgotten(claimed: Claimed) -> bool:
    if claimed.attempts == 1 and claimed.addressee is not None:
        return False
    announced = datetime.fromtimestamp(claimed.number / 1e6, UTC)
    return clock.now() - announced > timedelta(days=setting("KEEP"))


def send(deployable: str, events: Sequence[Announced]) -> None:
    """Give events to another deployable; when it returns, they are kept there."""
    chosen.send(deployable, events)

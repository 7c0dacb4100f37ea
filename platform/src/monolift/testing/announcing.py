"""Announcing events of modules that are not installed: what their fakes do."""

import itertools
import time

import msgspec

from monolift.kernel import Event
from monolift.kernel.ids import uuid7_text

_later = itertools.count()

announced: list[Event] = []
"""What the running test's fakes announced."""


def announce(event: Event, /) -> None:
    """Deliver an event to the subscribers that are installed, as if its module had announced it.

    It arrives as one from another deployable does. Nobody subscribing is fine. The handlers run
    when `scenario.run_until_idle()` is called.
    """
    from monolift.events.deliveries import Announced
    from monolift.events.streams.arrive import accept
    from monolift.events.streams.envelope import Envelope
    from monolift.events.subscriptions import of_event
    from monolift.observe.trace import carried

    announced.append(event)
    if not of_event(event.event_name):
        return
    identifier = uuid7_text()
    key = identifier if event.event_key is None else str(getattr(event, event.event_key))
    row = Announced(
        module=event.event_owner,
        event=identifier,
        name=event.event_name,
        key=key,
        number=time.time_ns() // 1000 + next(_later),  # growing, even within a microsecond
        body=msgspec.json.encode(event).decode(),
        trace=carried(),
    )
    accept([Envelope.of(row)])

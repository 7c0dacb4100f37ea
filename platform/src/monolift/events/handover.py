"""Handing events over to where their subscribers are: another database, or another deployable.

A hand-over is a delivery like any other: in order within its lane, repeated until it is taken, and
visible to operators. The other side keeps each event once, however often it is handed over.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from monolift.events import deliveries, relay
from monolift.events.deliveries import Announced, Claimed
from monolift.events.streams import chosen
from monolift.events.streams.port import Refused
from monolift.events.wake import wake
from monolift.kernel import clock
from monolift.registry.settings import setting
from monolift.registry.topology import modules_on


def hand_over(alias: str) -> int:
    """Hand over what is due, a batch to each target; how many there were.

    What a target does not take is repeated, also after the last attempt of a handler: nothing is
    wrong with the event. Only when it is older than what the other side remembers, it rests as
    failed: it may have been taken, and would be taken again. So does what the other side will
    never take as it is.
    """
    batch = deliveries.claim(alias, modules=modules_on(alias), away=True)
    for claimed in [one for one in batch if one.attempts > 1 and _is_forgotten(one)]:
        batch.remove(claimed)
        deliveries.failed(alias, claimed, Forgotten(claimed), final=True)
    for target in dict.fromkeys(claimed.target for claimed in batch):
        together = [claimed for claimed in batch if claimed.target == target]
        try:
            send(target, [claimed.announced for claimed in together])
        except Refused as refused:
            for claimed in [one for one in together if one.event in refused.reasons]:
                reason = Refused({claimed.event: refused.reasons[claimed.event]})
                deliveries.failed(alias, claimed, reason, final=True)
                together.remove(claimed)
            deliveries.done(alias, together)
        except Exception as error:
            for claimed in together:
                deliveries.failed(alias, claimed, error, final=False)
        else:
            deliveries.done(alias, together)
    return len(batch)


class Forgotten(Exception):
    """A hand-over that may have been taken so long ago that the other side does not know."""

    def __init__(self, claimed: Claimed) -> None:
        super().__init__(
            f"{claimed.target} may have taken it, more than {setting('KEEP')} days ago, and does "
            f"not know any more. Look there for event {claimed.event}, then skip it or resubmit it."
        )


def _is_forgotten(claimed: Claimed) -> bool:
    announced = datetime.fromtimestamp(claimed.number / 1e6, UTC)
    return clock.now() - announced > timedelta(days=setting("KEEP"))


def send(target: str, events: Sequence[Announced]) -> None:
    """Give events to a target; when it returns, they are kept there."""
    if not target.startswith("@"):
        chosen.send(target, events)
        return
    alias = target[1:]
    relay.insert(alias, events)
    wake(alias)

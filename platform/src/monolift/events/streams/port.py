"""What a stream promises. Four keep it: memory, HTTP, Redis, Kafka; one suite tests them alike."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from monolift.events.streams.envelope import Arrived, Envelope
from monolift.kernel.errors import MonoliftError, Unavailable

type Accept = Callable[[Sequence[Arrived]], None]
"""Keeps what came in, in order; when it returns, that is durable. Twice is as good as once.

Raises Misplaced for events of modules that are not there, with all others kept.
"""


class Refused(MonoliftError):
    """Some messages of a batch will never be taken as they are; **all the others are durable**."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        first, reason = next(iter(reasons.items()))
        more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        super().__init__(f"Event {first} is refused: {reason}{more}")
        self.reasons = dict(reasons)
        """Why, by the event's id."""


class Misplaced(Unavailable):
    """Some events are for modules that are not there (any more); **all the others are durable**.

    One side's topology is older. They have to go again, to wherever their modules are.
    """

    def __init__(self, events: Iterable[str], reason: str = "its module is elsewhere") -> None:
        super().__init__("delivery of an event", reason)
        self.events = frozenset(events)
        """Their ids."""


class UnderWay(Unavailable):
    """Nothing is wrong, and nothing certain: some events have not been read there yet.

    Send the batch again. What is still on its way is not put there twice.
    """


class Stream(Protocol):
    """A way to the subscribers of another deployable.

    At least once, and for events of one key in the order in which they were sent, provided that one
    of them is sent only when `send` returned for the one before. What lies between the two may
    lose all it has: until the other side has kept an event, the sender has it.
    """

    def send(self, *, to: str, batch: Sequence[Envelope]) -> None:
        """Give events to the deployable `to`; when it returns, they are kept in its databases.

        Raises Unavailable when that is not certain (UnderWay, when the other side only has not got
        to them): send the whole batch again. Raises Misplaced when some are for modules that `to`
        does not run, Refused when single messages are wrong; all others are kept then.
        """
        ...

    def stop(self) -> None:
        """Let connections go. A stream that was stopped may be used again."""
        ...


class Source(Stream, Protocol):
    """A stream that is read from. (HTTP is not: there the sender comes in by itself.)"""

    def start(self) -> None:
        """Be ready to receive; raises Unavailable while the other side does not answer."""
        ...

    def receive(self, *, accept: Accept, wait: float) -> int:
        """Hand what has come to `accept`, waiting up to `wait` seconds for the first.

        Acknowledged only after `accept` returned. What it refuses by Misplaced is acknowledged as
        that, and goes back to its sender; anything else it raises is raised, and the same messages
        come again. Returns how many there were. Raises Unavailable without an answer.
        """
        ...

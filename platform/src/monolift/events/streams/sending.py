"""What every sender does: first, while it waits, and at the end."""

from collections.abc import Collection, Mapping, Sequence
from time import monotonic

from monolift.events.streams.envelope import Envelope, Malformed, encode
from monolift.events.streams.port import Misplaced, Refused

PATIENCE = 5.0
"""Seconds that a sender waits for what it has sent to be kept."""


def encoded(batch: Sequence[Envelope]) -> tuple[dict[str, bytes], dict[str, str]]:
    """The messages of a batch, and why the others cannot be sent, by id."""
    messages: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for envelope in batch:
        try:
            messages[envelope.id] = encode(envelope)
        except Malformed as error:
            refused[envelope.id] = str(error)
    return messages, refused


def settle(to: str, *, misplaced: Collection[str], refused: Mapping[str, str]) -> None:
    """Say what was not kept; all else was. Raises Misplaced or Refused, or neither."""
    if misplaced:  # what is refused goes again with them, and is refused then
        raise Misplaced({*misplaced, *refused}, f"its module is not in {to}")
    if refused:
        raise Refused(refused)


class Patience:
    """How long to wait for each deployable: not at all for one that was silent the last time.

    So that what is for others never waits again and again for one that is away.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._silent: set[str] = set()

    def until(self, to: str) -> float:
        """The moment, by the monotonic clock, to which it is worth to wait."""
        return monotonic() + (0.0 if to in self._silent else self._seconds)

    def answered(self, to: str) -> None:
        """It reads."""
        self._silent.discard(to)

    def silent(self, to: str) -> None:
        """It did not within the time."""
        self._silent.add(to)

"""What every sender does first."""

from collections.abc import Sequence

from monolift.events.streams.envelope import Envelope, Malformed, encode


def encoded(batch: Sequence[Envelope]) -> tuple[list[bytes], dict[str, str]]:
    """The messages of a batch, and why the others cannot be sent, by id."""
    messages: list[bytes] = []
    refused: dict[str, str] = {}
    for envelope in batch:
        try:
            messages.append(encode(envelope))
        except Malformed as error:
            refused[envelope.id] = str(error)
    return messages, refused

"""An event between two processes: a CloudEvent (CloudEvents 1.0; JSON, and JSON batches).

What belongs to the row of an event is in the envelope's attributes, what its module told is `data`.
Decoding is strict about what is known and lets unknown extensions pass, so that a newer sender may
add one. One wrong message of a batch is told apart and never spoils the others.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from monolift.events.deliveries import Announced
from monolift.kernel.errors import MonoliftError

BATCH_TYPE = "application/cloudevents-batch+json"
"""The media type of several envelopes in a JSON array."""

MAX_MESSAGE = 1024 * 1024
"""Bytes of one envelope."""
MAX_BATCH = 1000
"""Envelopes of one batch."""
MAX_BYTES = 4 * 1024 * 1024
"""Bytes of one batch."""

# PostgreSQL keeps no NUL, and CloudEvents allows no control characters in a string.
_NO_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*\Z"
type Name = Annotated[
    str, msgspec.Meta(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_.:/-]+\Z")
]
type Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=_NO_CONTROLS)]
type Context = Annotated[str, msgspec.Meta(max_length=256, pattern=_NO_CONTROLS)]
type Labels = Annotated[
    str, msgspec.Meta(max_length=4000, pattern=r"^([a-z_][a-z0-9_]*(,[a-z_][a-z0-9_]*)*)?\Z")
]
type Number = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,18})\Z")]
_LARGEST = 2**63 - 1


class Malformed(MonoliftError, ValueError):
    """A message is no envelope, or breaks a limit. Says what is wrong with it."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event on its way. `id` is unique; the other side keeps each id once per subscriber."""

    specversion: Literal["1.0"]
    id: Name
    type: Name
    """The event's wire name, `orders.order_placed.v1`."""
    source: Name
    """The label of the module that announced it."""
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    datacontenttype: Literal["application/json"]
    data: msgspec.Raw
    """The event as JSON, as its module wrote it."""
    number: Number
    """Its place among the events of its key. Text: CloudEvents' integers have 32 bits."""
    subject: Text | None = None
    """The event's key; None when it has none, and so no order."""
    traceparent: Context = ""
    requestid: Context = ""
    subscribers: Labels = ""
    """The modules that it is for, "sales,search"; empty (older senders) for all that are there."""
    cause: Context = ""
    """The operation that announced it."""

    @classmethod
    def of(cls, event: Announced, *, cause: str = "") -> "Envelope":
        """The envelope of an event of the outbox."""
        traceparent, _, request = event.trace.partition(";")
        return cls(
            specversion="1.0",
            id=event.event,
            type=event.name,
            source=event.module,
            time=datetime.fromtimestamp(event.number / 1e6, UTC),
            datacontenttype="application/json",
            data=msgspec.Raw(event.body.encode()),
            number=str(event.number),
            subject=None if event.key == event.event else event.key,
            traceparent=traceparent,
            requestid=request,
            subscribers=",".join(event.to),
            cause=cause,
        )

    @property
    def announced(self) -> Announced:
        """The event as the tables know it."""
        return Announced(
            module=self.source,
            event=self.id,
            name=self.type,
            key=self.id if self.subject is None else self.subject,
            number=int(self.number),
            body=bytes(self.data).decode(),
            trace=f"{self.traceparent};{self.requestid}" if self.traceparent else "",
            to=tuple(self.subscribers.split(",")) if self.subscribers else (),
        )


class Rejected(NamedTuple):
    """A message that came in and cannot be delivered to anybody here."""

    id: str
    """The envelope's, or made of the bytes where that cannot be read: always the same."""
    source: str
    """The publishing module; empty when unknown."""
    type: str
    reason: str
    message: bytes
    """As it came."""
    module: str = ""
    """The subscribing module that it is for, when there is one here."""


type Arrived = Envelope | Rejected

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Envelope)
_array = msgspec.json.Decoder(list[msgspec.Raw])


def encode(envelope: Envelope) -> bytes:
    """One envelope as JSON, checked as the other side will; Malformed when it would refuse it."""
    body = _encoder.encode(envelope)
    decode(body)
    return body


def join(messages: Iterable[bytes]) -> bytes:
    """A batch of encoded envelopes."""
    return b"[" + b",".join(messages) + b"]"


def chunks(
    messages: Sequence[bytes], *, count: int = MAX_BATCH, size: int = MAX_BYTES
) -> list[list[bytes]]:
    """Messages in order, cut so that no batch has more of them, or as JSON more bytes."""
    found: list[list[bytes]] = []
    room = 0
    for message in messages:
        if not found or len(found[-1]) == count or room < len(message) + 1:
            found.append([])
            room = size - 2
        found[-1].append(message)
        room -= len(message) + 1
    return found


def decode(message: bytes) -> Envelope:
    """One envelope; Malformed names what is wrong with it."""
    if len(message) > MAX_MESSAGE:
        raise Malformed(f"It has {len(message)} bytes; at most {MAX_MESSAGE} are taken.")
    envelope = _strictly(_decoder.decode, message)
    if int(envelope.number) > _LARGEST:
        raise Malformed(f"Its number is {envelope.number}; at most {_LARGEST} fits.")
    try:
        bytes(envelope.data).decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"Its data is no UTF-8: {error}.") from None
    return envelope


def read(message: bytes, *, source: str = "") -> Arrived:
    """One message as it came in, in the stream of a module: an envelope, or why it is none."""
    try:
        return decode(message)
    except Malformed as error:
        return rejected(message, str(error), source=source)


def read_batch(body: bytes) -> list[Arrived]:
    """The messages of a batch, in order; Malformed when it is no array, or breaks a limit."""
    if len(body) > MAX_BYTES:
        raise Malformed(f"The batch has {len(body)} bytes; at most {MAX_BYTES} are taken.")
    messages = _strictly(_array.decode, body)
    if len(messages) > MAX_BATCH:
        raise Malformed(f"The batch has {len(messages)} events; at most {MAX_BATCH} are taken.")
    return [read(bytes(message)) for message in messages]


class _Known(msgspec.Struct):
    """What can be told of a message that is refused."""

    id: Any = ""
    source: Any = ""
    type: Any = ""


_TELLING = re.compile(r"[A-Za-z0-9_.:/-]{1,255}")


def rejected(message: bytes, reason: str, *, source: str = "") -> Rejected:
    """A message that is refused, with what can be told of it; `source` if it says none itself."""
    try:
        known = msgspec.json.decode(message[:MAX_MESSAGE], type=_Known)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        known = _Known()
    told = [
        value if isinstance(value, str) and _TELLING.fullmatch(value) else ""
        for value in (known.id, known.source, known.type)
    ]
    return Rejected(
        told[0] or f"unreadable-{sha256(message).hexdigest()[:32]}",
        told[1] or source,
        told[2],
        reason,
        message,
    )


def _strictly[T](decoded: Callable[[bytes], T], message: bytes) -> T:
    try:
        return decoded(message)
    except RecursionError:
        raise Malformed("It is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"It cannot be read: {error}.") from None

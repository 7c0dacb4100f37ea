"""The envelope: what goes in comes out, and what is wrong is named."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monolift.events.deliveries import Announced
from monolift.events.streams import envelope
from monolift.events.streams.envelope import (
    Envelope,
    Malformed,
    Rejected,
    chunks,
    decode,
    encode,
    join,
    read,
    read_batch,
)
from tests.library.streams.rigs import filled

names = st.from_regex(r"[a-z0-9_.-]{1,40}", fullmatch=True)
plain = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=100)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
)
announced = st.builds(
    Announced,
    module=names,
    event=names,
    name=names,
    key=plain,
    number=st.integers(0, 4_000_000_000_000_000),
    body=json_values.map(lambda value: msgspec.json.encode(value).decode()),
    trace=st.sampled_from(["", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01;r-1"]),
    to=st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True), max_size=5).map(tuple),
)


@given(event=announced)
@example(event=Announced("stock", "e", "stock.filled.v1", "e", 1, "{}", ""))
def test_an_event_comes_out_as_it_went_in(event: Announced) -> None:
    assert decode(encode(Envelope.of(event))).announced == event


@given(message=st.binary(max_size=200))
@example(message=b"[" * 100_000)
@example(message=b'{"id":"a","data":' + b"[" * 100_000)
@example(message=b"\xff\xfe")
def test_any_bytes_are_an_envelope_or_say_why_not(message: bytes) -> None:
    arrived = read(message)
    assert isinstance(arrived, Rejected)
    assert arrived.reason.endswith(".")
    assert arrived == read(message), "its id is the same each time"


def wrong(**changes: Any) -> bytes:
    document = msgspec.json.decode(encode(filled("a", 1))) | changes
    return msgspec.json.encode({name: one for name, one in document.items() if one is not ...})


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (wrong(specversion="1.1"), r"Invalid enum value '1.1' - at `\$.specversion`"),
        (wrong(specversion=...), "missing required field `specversion`"),
        (wrong(id=""), r"length >= 1 - at `\$.id`"),
        (wrong(id="a b"), r"matching regex .* - at `\$.id`"),
        (wrong(type="stock.filled.v1\n"), r"at `\$.type`"),
        (wrong(subject="a\0"), r"at `\$.subject`"),
        (wrong(subject="x" * 501), r"length <= 500 - at `\$.subject`"),
        (wrong(time="2026-11-23T10:00:00"), r"timezone component - at `\$.time`"),
        (wrong(datacontenttype="application/xml"), r"at `\$.datacontenttype`"),
        (wrong(data=...), "missing required field `data`"),
        (wrong(number=7), r"Expected `str`, got `int` - at `\$.number`"),
        (wrong(number="-1"), r"at `\$.number`"),
        (wrong(number="9223372036854775808"), "at most 9223372036854775807"),
        (encode(filled("a", 1)).replace(b'"sku":"a"', b'"sku":"\xff"'), "no UTF-8"),
        (wrong(data=...)[:-1] + b',"data":' + b"[" * 9999 + b"]" * 9999 + b"}", "too deeply"),
        (wrong(data="x" * envelope.MAX_MESSAGE), "at most 1048576 are taken"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(message: bytes, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        decode(message)


def test_an_attribute_of_a_newer_sender_passes() -> None:
    assert decode(wrong(tenant="t-1", dataschema="urn:x")).subject == "a"


def test_a_refused_message_says_what_can_be_told_of_it() -> None:
    arrived = read(wrong(specversion="9"))
    assert isinstance(arrived, Rejected)
    assert (arrived.source, arrived.type) == ("stock", "stock.filled.v1")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{}", "Expected `array`"),
        (b"[1,", "truncated"),
        (b"[" * 100_000, "too deeply"),
        (b"[" + b"1," * envelope.MAX_BATCH + b"1]", "has 1001 events"),
        (b" " * (envelope.MAX_BYTES + 1), "has 4194305 bytes"),
    ],
    ids=["object", "cut off", "deep", "too many", "too large"],
)
def test_what_is_no_batch_is_refused_whole(body: bytes, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        read_batch(body)


@given(sizes=st.lists(st.integers(1, 50), max_size=40), count=st.integers(1, 9))
def test_batches_are_cut_in_order_within_both_limits(sizes: list[int], count: int) -> None:
    messages = [b"1" * size for size in sizes]
    cut = chunks(messages, count=count, size=60)
    assert [message for batch in cut for message in batch] == messages
    assert all(batch and len(batch) <= count and len(join(batch)) <= 60 for batch in cut)

"""The verdicts on changes, tied to what the real codec does with real values."""

import enum
from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from monolift.contracts.compare import compare
from monolift.contracts.rules import RULES, Change, Verdict
from monolift.contracts.schema import Components
from monolift.contracts.snapshots import by_path
from monolift.resilience.fingerprint import alike, fingerprint
from tests.contracts.shapes import Struct, histories, made, structs
from tests.contracts.values import values

COLOUR = ("enum", "red", "green")


def line(*fields: tuple[str, Any, str], **options: Any) -> Struct:
    return Struct("Line", fields, **options)


def one(shape: Any, default: str = "required", **options: Any) -> Struct:
    return line(("one", shape, default), **options)


SAFE = {
    "field added with a default": (line(), one(("int",), "first")),
    "default added": (one(("int",)), one(("int",), "first")),
    "default changed": (one(("int",), "first"), one(("int",), "second")),
    "omit defaults": (one(("int",), "first"), one(("int",), "first", omit_defaults=True)),
    "closed": (one(("int",)), one(("int",), forbid_unknown_fields=True)),
    "renamed type": (one(Struct("Line", ())), one(Struct("Item", ()))),
}
# Not here: "default removed", which takes a row from before the field existed.
BREAKING = {
    "field added without a default": (line(), one(("int",))),
    "field added to a closed struct": (
        line(forbid_unknown_fields=True),
        one(("int",), "first", forbid_unknown_fields=True),
    ),
    "field removed": (one(("int",), "first"), line()),
    "default added where omitted": (
        one(("int",), omit_defaults=True),
        one(("int",), "first", omit_defaults=True),
    ),
    "default changed where omitted": (
        one(("int",), "first", omit_defaults=True),
        one(("int",), "second", omit_defaults=True),
    ),
    "type": (one(("int",)), one(("float",))),
    "null": (one(("int",)), one(("optional", ("int",)))),
    "choice added": (one(COLOUR), one((*COLOUR, "blue"))),
    "choice removed": (one(COLOUR), one(COLOUR[:2])),
    "union": (one(("union", ("int",), ("str",))), one(("union", ("int",), ("str",), ("bool",)))),
    "limit": (one(("small", 5)), one(("small", 9))),
}
# Pairs of types that are told apart only with care, though no value of one fits the other.
TELLING = {
    "a str that was a datetime": (("datetime",), ("str",)),
    "keys that were int": (("map", ("int",), ("int",)), ("map", ("str",), ("int",))),
    "keys that were UUID": (("map", ("UUID",), ("int",)), ("map", ("str",), ("int",))),
    "a list that was a set": (("set", ("int",)), ("list", ("int",))),
    "bytes that were str": (("str",), ("bytes",)),
    "one more in a tuple": (("tuple", ("int",)), ("tuple", ("int",), ("int",))),
    "a Decimal that was a str": (("str",), ("Decimal",)),
    "a struct that was a mapping": (("map", ("str",), ("int",)), Struct("Line", ())),
}


def changes_of(old: Any, new: Any) -> list[Change]:
    """What the comparison says of two types, as the body of an event."""
    return compare(old=by_path([event_of(old)]), new=by_path([event_of(new)]))


def event_of(struct: Any) -> dict[str, Any]:
    types = Components()
    head = {"contract": "event", "name": "a.b.v1", "owner": "a", "version": 1, "key": None}
    return {**head, "body": types.fields(struct), "$defs": types.schemas}


def read(value: Any, by: Any) -> Any:
    """The value as the other side reads it; msgspec.ValidationError when it cannot."""
    return msgspec.json.decode(msgspec.json.encode(value), type=by)


def agree(one: Any, other: Any) -> bool:
    """Whether two sides understand the same, in everything that both know."""
    if isinstance(one, msgspec.Struct) and isinstance(other, msgspec.Struct):
        both = set(one.__struct_fields__) & set(other.__struct_fields__)
        return all(agree(getattr(one, name), getattr(other, name)) for name in both)
    if isinstance(one, enum.Enum):
        one = one.value
    if isinstance(other, enum.Enum):
        other = other.value
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(agree, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(agree(one[key], other[key]) for key in one)
    return bool(one == other)


def survives(value: Any, *, written_by: Any, read_by: Any, back: bool) -> bool:
    """Whether a value arrives, and with `back` also returns unchanged.

    As the arguments of a command it is the same request at either side too, when it is repeated.
    """
    try:
        arrived = read(value, read_by)
        same = agree(value, arrived) and (not back or read(arrived, written_by) == value)
        return same and alike(fingerprint(value), fingerprint(arrived))
    except msgspec.ValidationError:
        return False


def optional(kind: Any) -> list[str]:
    return [one.name for one in msgspec.structs.fields(kind) if not one.required]


def called_with(value: Any, by: Any, *, left_out: list[str]) -> Any:
    """What a release makes of a call that leaves out some arguments."""
    given = msgspec.to_builtins(value, str_keys=True)
    body = {name: part for name, part in given.items() if name not in left_out}
    return msgspec.json.decode(msgspec.json.encode(body), type=by)


def fails(old: Any, new: Any) -> bool:
    """Whether hypothesis finds a value that does not survive, in either direction."""
    for written_by, read_by, back in ((old, new, True), (new, old, False)):
        try:
            find(
                values(written_by),
                lambda value, by=(written_by, read_by, back): (
                    not survives(value, written_by=by[0], read_by=by[1], back=by[2])
                ),
                settings=settings(max_examples=200, derandomize=True, database=None),
            )
        except NoSuchExample:
            continue
        return True
    return False


@pytest.mark.parametrize("rule", SAFE)
def test_a_safe_change_is_named_and_no_value_fails(rule: str) -> None:
    old, new = map(made, SAFE[rule])
    assert [change.rule for change in changes_of(old, new)] == [rule]
    assert RULES[rule].verdict is Verdict.SAFE
    assert not fails(old, new)


@pytest.mark.parametrize("rule", BREAKING)
def test_a_breaking_change_is_named_and_a_value_fails(rule: str) -> None:
    old, new = map(made, BREAKING[rule])
    assert [change.rule for change in changes_of(old, new)] == [rule]
    assert RULES[rule].verdict is Verdict.BREAKING
    assert fails(old, new)


@pytest.mark.parametrize("name", TELLING)
def test_types_that_json_writes_alike_are_told_apart(name: str) -> None:
    for old, new in (TELLING[name], TELLING[name][::-1]):
        changes = changes_of(made(one(old)), made(one(new)))
        assert Verdict.BREAKING in {change.verdict for change in changes}


def test_a_lost_default_breaks_what_was_written_before_the_field_existed() -> None:
    first, second, third = (
        made(shape) for shape in (line(), one(("int",), "first"), one(("int",)))
    )
    assert [change.rule for change in changes_of(second, third)] == ["default removed"]
    with pytest.raises(msgspec.ValidationError):
        read(read(first(), first), third)


def test_what_is_called_safe_survives_both_ways() -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=600,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data(), histories())
    def run(data: st.DataObject, history: tuple[Struct, Struct]) -> None:
        old, new = map(made, history)
        changes = changes_of(old, new)
        survived = True
        for _ in range(2):
            written = data.draw(values(old), "written by the old code")
            survived &= survives(written, written_by=old, read_by=new, back=True)
            written = data.draw(values(new), "written by the new code")
            survived &= survives(written, written_by=new, read_by=old, back=False)
        if all(change.verdict is Verdict.SAFE for change in changes):
            assert survived, changes
            left_out = data.draw(st.lists(st.sampled_from(optional(old) or [""])), "left out")
            called = data.draw(values(old), "given by a saga that goes on after the deploy")
            before, after = (called_with(called, by, left_out=left_out) for by in (old, new))
            assert alike(fingerprint(before), fingerprint(after)), changes
            seen["safe, though changed" if changes else "equal"] += 1
        else:
            seen["breaking, and it broke" if not survived else "breaking"] += 1

    run()
    # So that neither half of the property is empty.
    assert seen["safe, though changed"] >= 100, seen
    assert seen["breaking, and it broke"] >= 100, seen


def test_another_request_of_the_same_release_is_told_apart() -> None:
    seen: Counter[bool] = Counter()

    @settings(max_examples=300, derandomize=True, database=None, deadline=None)
    @given(st.data(), structs.filter(lambda shape: bool(shape.fields)).map(made))
    def run(data: st.DataObject, kind: Any) -> None:
        one, other = data.draw(values(kind)), data.draw(values(kind))
        name = data.draw(st.sampled_from(kind.__struct_fields__))
        other = msgspec.structs.replace(one, **{name: getattr(other, name)})
        if one == other:  # also 0 and False, which differ on the wire
            assert alike(fingerprint(one), fingerprint(read(one, kind)))
        else:
            assert not alike(fingerprint(one), fingerprint(other))
        seen[one == other] += 1

    run()
    assert min(seen[True], seen[False]) >= 20, seen

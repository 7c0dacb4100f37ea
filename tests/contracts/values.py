"""Hypothesis strategies of the values that a wire type allows."""

import datetime
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from monolift.kernel import Money

# Whole minutes, as RFC 3339 writes them; zones before about 1930 had seconds, which it cannot.
_OFFSETS = [datetime.timedelta(minutes=minutes) for minutes in (0, 330, -690)]
_ZONES = st.none() | st.sampled_from(_OFFSETS).map(datetime.timezone)
_PLAIN: dict[type[inspect.Type], Callable[[Any], st.SearchStrategy[Any]]] = {
    inspect.NoneType: lambda _: st.none(),
    inspect.BoolType: lambda _: st.booleans(),
    inspect.IntType: lambda i: st.integers(
        -(2**63) if i.ge is None else i.ge, 2**63 - 1 if i.le is None else i.le
    ),
    inspect.FloatType: lambda _: st.floats(allow_nan=False, allow_infinity=False),
    inspect.StrType: lambda i: st.text(max_size=i.max_length or 20),
    inspect.BytesType: lambda _: st.binary(max_size=20),
    inspect.DateTimeType: lambda _: st.datetimes(timezones=_ZONES),
    inspect.DateType: lambda _: st.dates(),
    inspect.TimeType: lambda _: st.times(),
    inspect.TimeDeltaType: lambda _: st.timedeltas(
        datetime.timedelta(days=-30000), datetime.timedelta(days=30000)
    ),
    inspect.UUIDType: lambda _: st.uuids(),
    inspect.DecimalType: lambda _: st.decimals(allow_nan=False, allow_infinity=False),
    inspect.EnumType: lambda i: st.sampled_from(list(i.cls)),
    inspect.LiteralType: lambda i: st.sampled_from(list(i.values)),
}


@cache
def values(wire_type: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that may cross a boundary."""
    return _of(inspect.type_info(wire_type))


def _of(info: Any) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata():
            return _of(info.type)
        case inspect.StructType(cls=cls) if cls is Money:
            amounts = st.integers(-(2**63 - 1), 2**63 - 1)
            return st.builds(Money, amounts, st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
        case inspect.StructType():
            return st.builds(info.cls, **{field.name: _field(field) for field in info.fields})
        case inspect.UnionType():
            return st.one_of(*(_of(member) for member in info.types))
        case inspect.TupleType():
            return st.tuples(*(_of(item) for item in info.item_types))
        case inspect.FrozenSetType() | inspect.SetType():
            return st.frozensets(_of(info.item_type), max_size=4)
        case inspect.VarTupleType():
            return st.lists(_of(info.item_type), max_size=4).map(tuple)
        case inspect.ListType():
            return st.lists(_of(info.item_type), max_size=4)
        case inspect.DictType() | inspect.FrozenDictType():
            return st.dictionaries(_of(info.key_type), _of(info.value_type), max_size=4)
    return _PLAIN[type(info)](info)


def _field(field: inspect.Field) -> st.SearchStrategy[Any]:
    """A field's values; its default comes often, because it is what is left out."""
    given = _of(field.type)
    if field.required or field.default is msgspec.NODEFAULT:
        return given
    return st.just(field.default) | given

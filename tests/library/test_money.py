"""Money: exact in every currency, rounded once and as said, closed to what is no amount."""

import decimal
import operator
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monolift.kernel import CurrencyMismatch, Money

EXPONENTS = {"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4}
LIMIT = 2**63 - 1
ROUNDINGS = [
    decimal.ROUND_CEILING,
    decimal.ROUND_FLOOR,
    decimal.ROUND_UP,
    decimal.ROUND_DOWN,
    decimal.ROUND_HALF_UP,
    decimal.ROUND_HALF_DOWN,
    decimal.ROUND_HALF_EVEN,
    decimal.ROUND_05UP,
]

currencies = st.sampled_from(sorted(EXPONENTS))
amounts = st.integers(-LIMIT, LIMIT)
small = st.integers(-(10**6), 10**6)
money = st.builds(Money, amounts, currencies)


@given(money)
def test_written_and_read_it_is_the_same(one: Money) -> None:
    assert one.exponent == EXPONENTS[one.currency]
    assert Money.of(one.decimal, one.currency) == one
    assert Money.of(f"{one.decimal:f}", one.currency) == one
    assert Money.of(str(one).split(" ")[0].replace(",", ""), one.currency) == one
    assert msgspec.json.decode(msgspec.json.encode(one), type=Money) == one
    assert pickle.loads(pickle.dumps(one)) == one


@given(money)
def test_the_precision_of_the_thread_rounds_no_amount(one: Money) -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        assert Money.of(str(one.amount), "JPY").amount == one.amount
        assert Money.of(one.decimal, one.currency) == one
        assert one.times(Decimal(1)) == one
        written = str(one)
    assert written == str(one)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Money(1250, "EUR"), "12.50 EUR"),
        (Money(-1, "EUR"), "-0.01 EUR"),
        (Money(-5, "JPY"), "-5 JPY"),
        (Money(1234567, "KWD"), "1,234.567 KWD"),
        (Money(LIMIT, "CLF"), "922,337,203,685,477.5807 CLF"),
    ],
    ids=str,
)
def test_as_text(one: Money, text: str) -> None:
    assert str(one) == text


# Reading an amount ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("12.5", 1250),
        ("12.500000", 1250),
        ("-0", 0),
        ("+1", 100),
        ("007", 700),
        ("0.01", 1),
        (Decimal("1E+3"), 100_000),
        (Decimal("0E+999999"), 0),
        (7, 700),
        ("92233720368547758.07", LIMIT),
        ("-92233720368547758.07", -LIMIT),
    ],
    ids=repr,
)
def test_an_amount(value: Any, amount: int) -> None:
    assert Money.of(value, "EUR") == Money(amount, "EUR")


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", ".", "1.", ".5", "1e3", "1E3", "NaN", "Infinity", "-inf", "sNaN", "0x10"),
        *(
            "12,50",
            "1_000",
            " 1",
            "1\n",
            "\u0661",
            "\uff11\uff12",
            "1.2.3",
            "--1",
            "\u22121",
            "1\x00",
        ),
        *("0.001", "1.005", "92233720368547758.08", "1" * 100_000, f"1.{'0' * 40}1"),
        *map(Decimal, ("NaN", "sNaN", "-Infinity", "0.001", "1E+999999999", "1E-999999999")),
        *(10**17, 10**5000),
    ],
    ids=lambda value: (
        repr(value)[:30] if isinstance(value, str | Decimal) else f"{value.bit_length()} bits"
    ),
)
def test_no_amount(value: Any) -> None:
    with pytest.raises(ValueError, match=r"amount|minor units") as caught:
        Money.of(value, "EUR")
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("value", [1.5, True, None, b"1", (0, (1,), 0), [1]], ids=repr)
def test_a_type_that_is_no_amount(value: Any) -> None:
    with pytest.raises(TypeError, match="Give a Decimal, an int or a str"):
        Money.of(value, "EUR")


@given(small, currencies, st.integers(0, 8))
def test_as_many_decimals_as_the_currency_has(count: int, currency: str, places: int) -> None:
    value = Decimal(count).scaleb(-places)
    exact = value * 10 ** EXPONENTS[currency]
    if exact == int(exact):
        assert Money.of(value, currency).amount == exact
        assert Money.of(f"{value:f}", currency).amount == exact
    else:
        with pytest.raises(ValueError, match="whole number"):
            Money.of(value, currency)


@pytest.mark.parametrize(
    "currency", ["eur", "EUR ", "", "XXX", "\uff25UR", None, 1, ["EUR"]], ids=repr
)
def test_no_currency(currency: Any) -> None:
    for make in (lambda: Money(1, currency), lambda: Money.of("1", currency)):
        with pytest.raises(ValueError, match="not an ISO 4217 currency code"):
            make()


@pytest.mark.parametrize("amount", [1.0, True, "1", None, Decimal(1)], ids=repr)
def test_no_minor_units(amount: Any) -> None:
    with pytest.raises(TypeError, match="whole minor units"):
        Money(amount, "EUR")


@pytest.mark.parametrize(
    "body",
    [
        b'{"amount":1.0,"currency":"EUR"}',
        b'{"amount":"1","currency":"EUR"}',
        b'{"amount":true,"currency":"EUR"}',
        b'{"amount":1,"currency":"XXX"}',
        b'{"amount":9223372036854775808,"currency":"EUR"}',
        b'{"amount":-9223372036854775808,"currency":"EUR"}',
        b'{"amount":1}',
    ],
    ids=lambda body: body.decode(),
)
def test_what_the_wire_brings_is_checked(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=Money)


# Arithmetic -----------------------------------------------------------------------------------


@given(small, small, currencies, st.integers(-1000, 1000))
def test_adding_is_exact(one: int, other: int, currency: str, count: int) -> None:
    a, b = Money(one, currency), Money(other, currency)
    assert (a + b).amount == one + other
    assert (a - b).amount == one - other
    assert a - b == a + -b
    assert (a * count).amount == (count * a).amount == one * count
    assert bool(a) is (one != 0)
    assert (a < b, a <= b, a > b, a >= b) == (one < other, one <= other, one > other, one >= other)


@given(st.lists(amounts, max_size=5), currencies)
@example([LIMIT, 1, -5], "EUR")
def test_only_the_sum_must_fit(counts: list[int], currency: str) -> None:
    several = [Money(count, currency) for count in counts]
    if abs(sum(counts)) <= LIMIT:
        assert Money.total(several, currency=currency) == Money(sum(counts), currency)
    else:
        with pytest.raises(ValueError, match="64 bits"):
            Money.total(several, currency=currency)


def test_what_does_not_fit_is_refused() -> None:
    most, least = Money(LIMIT, "EUR"), Money(-LIMIT, "EUR")
    for beyond in (
        lambda: most + Money(1, "EUR"),
        lambda: least - Money(1, "EUR"),
        lambda: most * 2,
        lambda: most.times(Decimal("1.0000000000000000001")) + Money(1, "EUR"),
        lambda: most.times(10**5000),
        lambda: Money(-LIMIT - 1, "EUR"),
    ):
        with pytest.raises(ValueError, match="64 bits"):
            beyond()
    assert -least == most


@pytest.mark.parametrize(
    "act",
    [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge],
    ids=lambda act: act.__name__,
)
def test_currencies_do_not_mix(act: Any) -> None:
    with pytest.raises(CurrencyMismatch, match=r"1\.00 EUR and 1\.00 USD are different currencies"):
        act(Money(100, "EUR"), Money(100, "USD"))
    with pytest.raises(TypeError):
        act(Money(100, "EUR"), 100)
    assert Money(100, "EUR") != Money(100, "USD")
    assert Money(100, "EUR") != 100
    with pytest.raises(CurrencyMismatch):
        Money.total([Money(100, "USD")], currency="EUR")


@pytest.mark.parametrize("count", [1.5, True, Decimal(2), "2"], ids=repr)
def test_only_whole_numbers_multiply(count: Any) -> None:
    with pytest.raises(TypeError, match="use times"):
        Money(1, "EUR") * count


# Rates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounding", ROUNDINGS)
@given(
    amount=st.integers(-(10**15), 10**15) | st.integers(-30, 30),
    rate=st.decimals(-1000, 1000, places=4) | st.sampled_from([Decimal("0.125"), Decimal("0.5")]),
)
@example(amount=-25, rate=Decimal("0.1"))
@example(amount=-5, rate=Decimal("0.5"))
@example(amount=101, rate=Decimal("0.05"))
def test_a_rate_is_rounded_as_decimal_rounds(rounding: str, amount: int, rate: Decimal) -> None:
    with decimal.localcontext() as context:
        context.prec = 60
        wanted = (Decimal(amount) * rate).quantize(Decimal(1), rounding=rounding)
    assert Money(amount, "EUR").times(rate, rounding=rounding).amount == int(wanted)
    assert Money(amount, "EUR").times(Fraction(rate), rounding=rounding).amount == int(wanted)


@given(amounts, st.fractions(-1, 1))
def test_a_fraction_is_off_by_half_a_unit_at_most(amount: int, rate: Fraction) -> None:
    assert abs(Money(amount, "EUR").times(rate).amount - amount * rate) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("rate", "error"),
    [
        *((rate, TypeError) for rate in (0.1, float("nan"), True, "0.5", None)),
        *(
            (Decimal(rate), ValueError)
            for rate in ("NaN", "Infinity", "1E+99999999", "1E-99999999")
        ),
    ],
    ids=str,
)
def test_no_rate(rate: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"is not (a|an exact) rate"):
        Money(1, "EUR").times(rate)


def test_an_unknown_rounding_is_refused() -> None:
    with pytest.raises(TypeError, match="rounding"):
        Money(1, "EUR").times(Decimal("0.5"), rounding="ROUND_WRONG")


# Parts ----------------------------------------------------------------------------------------


@given(money, st.lists(st.integers(0, 10**30), min_size=1, max_size=8).filter(any))
def test_the_parts_are_the_whole_and_fair(whole: Money, weights: list[int]) -> None:
    parts = whole.allocate(weights)
    assert Money.total(parts, currency=whole.currency) == whole
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.amount - Fraction(whole.amount * weight, sum(weights))) < 1
        assert weight or not part
        assert part.amount * whole.amount >= 0
    assert [-part for part in parts] == list((-whole).allocate(weights))


def test_the_first_of_equal_parts_get_more() -> None:
    assert [part.amount for part in Money(100, "EUR").allocate([1, 1, 1])] == [34, 33, 33]
    assert [part.amount for part in Money(-100, "EUR").allocate([1, 1, 1])] == [-34, -33, -33]


@pytest.mark.parametrize(
    "weights", [[], [0], [0, 0], [1, -1], [-1, 5], [1.5], [True, 1], [Decimal(1)], ["1"]], ids=repr
)
def test_no_weights(weights: Any) -> None:
    with pytest.raises(ValueError, match="Weights must be whole numbers"):
        Money(5, "EUR").allocate(weights)

"""Money: whole minor units of an ISO 4217 currency. Never a float."""

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import msgspec

# ISO 4217, list one: codes of circulating currencies by number of decimals.
_EXPONENTS: dict[str, int] = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys(
        (
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD "
            "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
            "GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP "
            "LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
            "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
            "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST "
            "XCD XCG YER ZAR ZMW ZWG"
        ).split(),
        2,
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_LIMIT = 2**63 - 1
# What a person or a program writes for an amount: no exponent, no spaces, no digits but 0 to 9.
_WRITTEN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
# Not the thread's context: its precision belongs to whoever set it, and would round amounts.
_EXACT = Context(prec=64, traps=[])


class CurrencyMismatch(TypeError):
    """Amounts of different currencies were added, subtracted or compared."""


class Money(msgspec.Struct, frozen=True, order=False):
    """An exact amount: `amount` minor units (cents, yen, fils) of `currency`.

    Adding, subtracting and comparing need equal currencies. Only `times` rounds, and it says how.
    The amount fits a signed 64-bit integer, as the databases store it.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"Money counts whole minor units, not {self.amount!r}.")
        _exponent(self.currency)
        if not -_LIMIT <= self.amount <= _LIMIT:
            raise ValueError("The amount does not fit 64 bits.")

    @classmethod
    def of(cls, value: Decimal | str | int, currency: str) -> "Money":
        """The amount written in major units: `Money.of("12.50", "EUR")`.

        Raises ValueError when it has more decimals than the currency, is not a finite number or
        does not fit 64 bits. A text is an optional sign and digits with at most one point between
        them; exponents and group separators are refused. TypeError for anything else, float too.
        """
        exponent = _exponent(currency)
        if type(value) is str:
            if not _WRITTEN.fullmatch(value):
                raise ValueError(f"{_short(value)} is not an amount. Write it like '1250.00'.")
        elif isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise TypeError(f"{_short(value)} is not an amount. Give a Decimal, an int or a str.")
        exact = Decimal(value)
        if not exact.is_finite():
            raise ValueError(f"{_short(value)} is not an amount.")
        if not exact:
            return cls(0, currency)
        if exact.adjusted() > 19:  # before 10 ** n below, which may be asked for a billion digits
            raise ValueError("The amount does not fit 64 bits.")
        sign, digits, places = exact.as_tuple()
        shift = int(places) + exponent
        # Decimals past the currency's must be zeros.
        kept = len(digits) + min(shift, 0)
        if any(digits[max(kept, 0) :]):
            raise ValueError(f"{_short(value)} is not a whole number of {currency} minor units.")
        minor = int(Decimal((sign, digits[:kept], max(shift, 0))))
        return cls(minor, currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, in that currency."""
        return cls(0, currency)

    @classmethod
    def total(cls, amounts: Iterable["Money"], *, currency: str) -> "Money":
        """The exact sum; zero of `currency` when there are none. Only the sum must fit 64 bits."""
        zero = cls(0, currency)
        return cls(sum(zero._same(amount) for amount in amounts), currency)

    @property
    def exponent(self) -> int:
        """Decimals of the currency: 0, 2, 3 or 4."""
        return _EXPONENTS[self.currency]

    @property
    def decimal(self) -> Decimal:
        """The amount in major units."""
        return Decimal(self.amount).scaleb(-self.exponent, _EXACT)

    def __str__(self) -> str:
        return f"{self.decimal:,.{self.exponent}f} {self.currency}"

    def __bool__(self) -> bool:
        return self.amount != 0

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __mul__(self, count: int) -> "Money":
        if type(count) is not int:
            raise TypeError("Money is multiplied by whole numbers; use times() for a rate.")
        return Money(self.amount * count, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._same(other)

    def times(self, rate: Decimal | Fraction | int, *, rounding: str = ROUND_HALF_EVEN) -> "Money":
        """Multiply by a rate and round once to a minor unit (`rounding` is one of `decimal`'s).

        Raises TypeError for a rate that is not exact (a float), ValueError for one that is not
        finite or has more than a hundred digits on a side of its point.
        """
        if isinstance(rate, bool) or not isinstance(rate, Decimal | Fraction | int):
            raise TypeError(f"{_short(rate)} is not an exact rate. Give a Decimal or a Fraction.")
        if isinstance(rate, Decimal):
            places = rate.as_tuple().exponent
            if not isinstance(places, int) or places < -100 or rate.adjusted() > 100:
                raise ValueError(f"{_short(rate)} is not a rate.")
        exact = Fraction(self.amount) * Fraction(rate)
        whole, remainder = divmod(exact.numerator, exact.denominator)
        # One digit keeps every distinction a rounding mode makes: below, at or above the half.
        twice = 2 * remainder
        digit = 0 if remainder == 0 else 5 if twice == exact.denominator else 3
        if twice > exact.denominator:
            digit = 7
        if abs(whole) > _LIMIT:
            raise ValueError("The amount does not fit 64 bits.")
        scaled = Decimal(whole * 10 + digit).scaleb(-1, _EXACT)
        return Money(int(scaled.to_integral_value(rounding=rounding)), self.currency)

    def allocate(self, weights: Sequence[int]) -> tuple["Money", ...]:
        """Split by weights so that the parts sum exactly to the whole (largest remainder).

        Of equal remainders the first ones are rounded up; a weight of 0 gets nothing.
        """
        if any(type(weight) is not int or weight < 0 for weight in weights) or not any(weights):
            raise ValueError("Weights must be whole numbers, not negative, with a positive sum.")
        total = sum(weights)
        sign = -1 if self.amount < 0 else 1
        parts = [divmod(abs(self.amount) * weight, total) for weight in weights]
        left = abs(self.amount) - sum(quotient for quotient, _ in parts)
        order = sorted(range(len(parts)), key=lambda index: -parts[index][1])
        extra = set(order[:left])
        return tuple(
            Money(sign * (quotient + (index in extra)), self.currency)
            for index, (quotient, _) in enumerate(parts)
        )

    def _same(self, other: "Money") -> int:
        if not isinstance(other, Money):
            raise TypeError(f"{other!r} is not Money.")
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self} and {other} are different currencies.")
        return other.amount


def _exponent(currency: str) -> int:
    if not isinstance(currency, str) or currency not in _EXPONENTS:
        raise ValueError(f"{_short(currency)} is not an ISO 4217 currency code.")
    return _EXPONENTS[currency]


def _short(value: object) -> str:
    """A given value for a message: it may be as long as a request."""
    if isinstance(value, int) and abs(value) > _LIMIT:
        return "The number"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."

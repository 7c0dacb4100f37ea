"""What people call an order."""

import re
from uuid import UUID

# Crockford's base 32: no I, L, O, U, so that a number can be read out on the telephone.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NUMBER = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-?[0-9A-HJKMNP-TV-Z]{0,4}-?[0-9A-HJKMNP-TV-Z]{0,4}")
_BITS = 60


def number_of(order_id: UUID) -> str:
    """What people call an order: the first 60 bits of its id, `7K3M-9QX2-4TBD`."""
    value = order_id.int >> (128 - _BITS)
    text = "".join(_DIGITS[value >> shift & 31] for shift in range(_BITS - 5, -1, -5))
    return f"{text[:4]}-{text[4:8]}-{text[8:]}"


def ids_of(text: str) -> tuple[UUID | None, UUID | None]:
    """The least and the greatest id whose number begins with `text`; None when none can."""
    number = text.upper()
    if not _NUMBER.fullmatch(number):
        return None, None
    digits = number.replace("-", "")
    value = 0
    for digit in digits:
        value = value << 5 | _DIGITS.index(digit)
    free = 128 - 5 * len(digits)
    return UUID(int=value << free), UUID(int=(value << free) + (1 << free) - 1)

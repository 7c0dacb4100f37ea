"""What can be known of a card without asking anybody. Messages never repeat what was entered."""

import re
from datetime import date

_NUMBER = re.compile(r"[0-9]{12,19}", re.ASCII)
_EXPIRY = re.compile(r"(0[1-9]|1[0-2])/([0-9]{2})", re.ASCII)
_CVC = re.compile(r"[0-9]{3,4}", re.ASCII)


def problem(*, number: str, expiry: str, cvc: str, today: date) -> str:
    """What is wrong with these details, for the customer; empty when nothing is.

    The number's check digit is ISO/IEC 7812-1's (Luhn). A card is good to the end of its month.
    """
    if not _NUMBER.fullmatch(number):
        return "the number must have 12 to 19 digits"
    if not _luhn(number):
        return "the number has a typing error"
    month = _EXPIRY.fullmatch(expiry)
    if month is None:
        return "the expiry date must be written MM/YY"
    if (2000 + int(month[2]), int(month[1])) < (today.year, today.month):
        return "it has expired"
    if not _CVC.fullmatch(cvc):
        return "the security code must have 3 or 4 digits"
    return ""


def plain(number: str) -> str:
    """The number without the spaces and dashes people write it with."""
    return re.sub(r"[ -]", "", number)


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0

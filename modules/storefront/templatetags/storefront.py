"""How the templates write money, stock and links."""

from django import template
from django.utils.http import urlencode

from monolift.kernel import Money

register = template.Library()

_SYMBOLS = {"EUR": "€", "USD": "$", "JPY": "¥"}
_NO_BREAK_SPACE, _MINUS = "\u00a0", "\u2212"


@register.filter
def money(amount: Money | None) -> str:
    """An amount as a person reads it, for example €1,234.50 or KWD 4.700; nothing for None."""
    if amount is None:
        return ""
    symbol = _SYMBOLS.get(amount.currency, amount.currency + _NO_BREAK_SPACE)
    sign = _MINUS if amount.amount < 0 else ""
    return f"{sign}{symbol}{abs(amount.decimal):,.{amount.exponent}f}"


@register.filter
def percent(hundredths: int) -> str:
    """A rate in hundredths of a percent as a person reads it, for example 19 % or 8.1 %."""
    return f"{hundredths / 100:g}{_NO_BREAK_SPACE}%"


@register.filter
def query(value: str, name: str) -> str:
    """A query string of one parameter."""
    return urlencode({name: value})

"""What a page can do without."""

from collections.abc import Callable

from modules.storefront.views.page import log
from monolift import Unavailable
from monolift.kernel import CallFailed


def optional[T, U](call: Callable[[], T], *, otherwise: U, part: str) -> T | U:
    """What the call answers; `otherwise` when its module is silent. `part` is logged."""
    try:
        return call()
    except (Unavailable, CallFailed) as error:
        log.warning("a part of a page is missing", part=part, exc_info=error)
        return otherwise

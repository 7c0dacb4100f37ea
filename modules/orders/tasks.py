"""What orders does by itself."""

from datetime import timedelta

from django.conf import settings

from modules.orders.models import today
from modules.orders.services import abandoned
from monolift import atomic, task


@task(every="10 3 * * *")
def empty_abandoned_baskets() -> None:
    """Empty baskets that nobody used for `ORDERS["KEEP_BASKETS"]` days, some at a time."""
    before = today() - timedelta(days=settings.ORDERS["KEEP_BASKETS"])
    with atomic():
        if abandoned.empty_some(before=before):
            empty_abandoned_baskets.enqueue()

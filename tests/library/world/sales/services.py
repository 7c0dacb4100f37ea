from collections.abc import Sequence

from monolift import end_user
from monolift.resilience.deadline import remaining
from tests.library.world.sales.interface import Sales
from tests.library.world.sales.requires import stock


class SalesService(Sales):
    def pass_on(self) -> Sequence[tuple[str, str, float]]:
        user = end_user()
        seen = ("sales", str(user.user_id) if user else "nobody", remaining() or 0.0)
        return [seen, *stock.pass_on()]

import time
from collections.abc import Mapping, Sequence

from django.db.models import F, Sum

from monolift import acting_for, atomic, deadline, end_user, publish, use
from monolift.kernel import Unavailable
from monolift.resilience.deadline import remaining
from tests.library.world.cards.interface import Cards
from tests.library.world.stock import faults
from tests.library.world.stock.events import Counted, Filled
from tests.library.world.stock.foreign import Foreign
from tests.library.world.stock.interface import Level, SoldOut, Stock
from tests.library.world.stock.models import Hold, Item


class StockService(Stock):
    def levels(self, *, skus: Sequence[str]) -> Mapping[str, Level]:
        held = dict(
            Hold.objects.filter(sku__in=skus)
            .values_list("sku")
            .annotate(Sum("quantity"))
            .values_list("sku", "quantity__sum")
        )
        return {
            item.sku: Level(left=item.left, held=held.get(item.sku, 0))
            for item in Item.objects.filter(sku__in=skus)
        }

    def hold(self, *, sku: str, quantity: int) -> int:
        faults.reach("stock.hold")
        with atomic():
            taken = Item.objects.filter(sku=sku, left__gte=quantity).update(
                left=F("left") - quantity
            )
            if not taken:
                raise SoldOut(sku=sku, left=Item.objects.get(sku=sku).left)
            hold = Hold.objects.create(sku=sku, quantity=quantity)
            faults.reach("stock.hold.inside")
        faults.reach("stock.hold.after")
        return hold.pk

    def give_back(self, *, hold: int) -> None:
        faults.reach("stock.give_back")
        with atomic():
            found = Hold.objects.filter(pk=hold).first()
            if found is not None:
                Item.objects.filter(sku=found.sku).update(left=F("left") + found.quantity)
                found.delete()
            faults.reach("stock.give_back.inside")

    def fill(self, *, sku: str, quantity: int = 10) -> None:
        with atomic():
            Item.objects.get_or_create(sku=sku, defaults={"left": 0})
            Item.objects.filter(sku=sku).update(left=F("left") + quantity)
            publish(Filled(sku=sku, quantity=quantity))

    def pass_on(self) -> Sequence[tuple[str, str, float]]:
        user = end_user()
        seen = ("stock", str(user.user_id) if user else "nobody", remaining() or 0.0)
        return [seen, *use(Cards).pass_on()]

    def misbehave(self, *, how: str) -> str:
        match how:
            case "raise after commit block":
                with atomic():
                    Item.objects.create(sku="ghost", left=1)
                raise ValueError("after the block")
            case "raise after deadline" | "raise after acting for":
                block = deadline(seconds=60) if how.endswith("deadline") else acting_for(None)
                with block, atomic():
                    Item.objects.create(sku="ghost", left=1)
                raise ValueError("after the block")
            case "two transactions":
                with atomic():
                    Item.objects.create(sku="ghost", left=1)
                with atomic():
                    pass
            case "undeclared":
                raise SoldOut(sku="x", left=0)
            case "call inside":
                with atomic():
                    Item.objects.create(sku="ghost", left=1)
                    use(Stock).levels(skus=["a"])
            case "call after":
                with atomic():
                    Item.objects.create(sku="ghost", left=1)
                use(Stock).levels(skus=["a"])
            case "answer a number":
                with atomic():
                    Item.objects.create(sku="ghost", left=1)
                return 7  # type: ignore[return-value]  # the mistake under test
            case "publish foreign":
                with atomic():
                    publish(Foreign(sale="1"))
            case "wait for another":
                raise Unavailable("cards.authorise", "no answer in time")
            case "for whom":
                user = end_user()
                return f"{user.user_id} {sorted(user.scopes)}" if user else "nobody"
            case "sleep":
                time.sleep(1)
            case "publish outside":
                publish(Counted(total=1))
        return how

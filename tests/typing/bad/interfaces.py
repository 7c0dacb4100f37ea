"""Wrong implementations and wrong calls of an interface."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from monolift import use
from tests.typing.good.contracts import Hold, InsufficientStock, Inventory, Line, Payments, Sku


class AnswersAnotherType(Inventory):
    def available(self, *, skus: Sequence[Sku]) -> Mapping[Sku, str]:  # expect: mypy, pyright
        return dict.fromkeys(skus, "many")


class TakesAnotherType(Inventory):
    def release(self, *, reference: str) -> None: ...  # expect: mypy, pyright


class MissesAParameter(Inventory):
    def reserve(self, *, reference: UUID) -> Hold:  # expect: mypy, pyright
        return Hold(id=reference)


class WantsOneMore(Payments):
    def capture(self, *, payment_id: UUID, note: str) -> None: ...  # expect: mypy, pyright


class MissesAMethod(Payments):
    def capture(self, *, payment_id: UUID) -> None: ...


incomplete = MissesAMethod()  # expect: mypy, pyright

inventory = use(Inventory)
not_an_interface = use("inventory")  # expect: mypy, pyright

inventory.available([Sku("A")])  # expect: mypy, pyright
inventory.available(sku=[Sku("A")])  # expect: mypy, pyright
inventory.release()  # expect: mypy, pyright
inventory.release(reference="1")  # expect: mypy, pyright
inventory.refill()  # expect: mypy, pyright
count: int = inventory.available(skus=[])  # expect: mypy, pyright
total = inventory.available(skus=[])[Sku("A")].upper()  # expect: mypy, pyright

Line(Sku("A"), 1)  # expect: mypy, pyright
Line(sku=Sku("A"))  # expect: mypy, pyright
Line(sku=Sku("A"), quantity="1")  # expect: mypy, pyright
Line(sku=Sku("A"), quantity=1).quantity = 2  # expect: mypy, pyright

raise InsufficientStock(sku=Sku("A"))  # expect: mypy, pyright

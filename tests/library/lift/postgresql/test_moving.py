"""There and back: seal, copy, cut over, verify, back."""

from monolift import use
from tests.library.lift.postgresql.places import Places, to
from tests.library.world.stock.interface import Stock


def test_there_and_back(world: Places) -> None:
    stock = use(Stock)
    stock.fill(sku="a")
    world.sealed()
    stock.fill(sku="b")
    mover = world.mover()
    mover.copy(lambda _: None)
    assert mover.rehearse()["blocked"] < 2
    mover.cut_over(to("stock_away"))
    assert mover.verify()["differences"] == []
    stock.fill(sku="b")
    assert stock.levels(skus=["b"])["b"].left == 20
    assert world.ask("SELECT \"left\" FROM stock_item WHERE sku = 'b'", "stock_away") == [(20,)]
    back = world.mover("stock_away", "stock")
    back.cut_over(to("stock"))
    assert back.verify()["differences"] == []
    stock.fill(sku="b")
    assert world.ask("SELECT \"left\" FROM stock_item WHERE sku = 'b'") == [(30,)]

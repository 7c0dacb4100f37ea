from monolift import use
from tests.library.world.cards.interface import Cards, Declined
from tests.library.world.stock.interface import SoldOut, Stock

stock = use(Stock)
cards = use(Cards)

__all__ = ["Cards", "Declined", "SoldOut", "Stock", "cards", "stock"]

from monolift import Module
from tests.library.world.stock.interface import Stock


class StockModule(Module):
    name = "tests.library.world.stock"
    owner = "team-library"
    provides = {Stock: "tests.library.world.stock.services.StockService"}

from monolift import Module
from tests.library.world.cards.interface import Cards


class CardsModule(Module):
    name = "tests.library.world.cards"
    owner = "team-library"
    provides = {Cards: "tests.library.world.cards.services.CardsService"}

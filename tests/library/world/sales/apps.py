from monolift import Module
from tests.library.world.sales.interface import Sales


class SalesModule(Module):
    name = "tests.library.world.sales"
    owner = "team-library"
    provides = {Sales: "tests.library.world.sales.services.SalesService"}

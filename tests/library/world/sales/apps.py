from monolift import Module


class SalesModule(Module):
    name = "tests.library.world.sales"
    owner = "team-library"

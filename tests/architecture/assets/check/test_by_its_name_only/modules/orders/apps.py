from monolift import Module


class OrdersModule(Module):
    name = "modules.orders"
    owner = "team-checkout"
    provides = {Orders: "modules.orders.test_results.Results"}

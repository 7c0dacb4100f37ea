import modules.orders.models

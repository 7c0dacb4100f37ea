import modules.orders.models as rows

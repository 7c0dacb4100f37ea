from modules.orders.interface import Orders

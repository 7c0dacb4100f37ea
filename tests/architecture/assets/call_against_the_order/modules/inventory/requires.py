from modules.orders.interface import Provided

orders = Provided

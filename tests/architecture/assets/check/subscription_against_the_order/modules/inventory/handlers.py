from modules.orders.events import OrderPlaced

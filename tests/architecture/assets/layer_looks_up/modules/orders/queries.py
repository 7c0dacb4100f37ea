from modules.orders.services import written

found = written
